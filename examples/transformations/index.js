/** Every function that is exported here is a transformation: CIRCE_TRANSFORMATIONS_MODULE=examples/transformations */
export { html2pdf } from './html2pdf.js';
export { pandoc } from './pandoc.js';
