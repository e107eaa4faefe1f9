/** Programs of the queue under the names that they were published with. A CommonJS file, as its neighbours. */
/* global module, require */
module.exports = (...words) => {
  if (process.argv[2] !== '--version') process.argv.splice(2, 0, 'queue', ...words);
  require('./warctap.js');
};
