/** Values of the API as people read them, and back. */

/** Base64 of JSON as 32 hexadecimal digits. */
export function hexOf(id) {
  return Array.from(atob(id), (each) => each.charCodeAt(0).toString(16).padStart(2, '0')).join('');
}

export function idOf(hex) {
  return btoa(String.fromCharCode(...hex.match(/../g).map((each) => parseInt(each, 16))));
}

/** `2019-01-01T01:01:00+00:00` as `2019-01-01 01:01:00`, in UTC. */
export const when = (text) => (text ? text.slice(0, 19).replace('T', ' ') : '');

/** @param seconds a number, or nothing */
export function lasting(seconds) {
  if (!(seconds >= 0)) return '';
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days ${hours % 24} h`;
}

/** Seconds between two times of the API, or until now. */
export function between(from, to) {
  return ((to ? Date.parse(to) : Date.now()) - Date.parse(from)) / 1000;
}

/** A number of 32 bits, with the digits that it was told with. */
export const single = (value) => Number(Math.fround(value).toPrecision(7));

/** A count of a job: one that is not told is not zero. */
export const counted = (value) => (value === undefined || value < 0 ? undefined : value);

export const plural = (count, one, many = `${one}s`) => `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
