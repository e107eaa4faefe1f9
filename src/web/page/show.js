/** How things are shown: elements, numbers, times. Whatever comes from elsewhere is text, and never markup. */

/** @param children elements or texts */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [property, value] of Object.entries(properties)) made[property] = value;
  made.append(...children);
  return made;
}

export const number = (value) => value.toLocaleString('en');

export function bytes(value) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** `2026-01-05T10:00:00` in UTC, as how long ago it was. */
export function ago(time) {
  if (time === null) return 'never';
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(`${time}Z`)) / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  return seconds < 86400 ? `${Math.floor(seconds / 3600)} h ago` : `${Math.floor(seconds / 86400)} days ago`;
}

/** @param columns the cells of one. @param empty what is said when there is none, over so many columns */
export function rows(body, list, columns, empty, span = 6) {
  const made = list.map((item) => element('tr', {}, ...columns(item)));
  if (made.length === 0) made.push(element('tr', {}, element('td', { className: 'empty', colSpan: span }, empty)));
  body.replaceChildren(...made);
}

export const cell = (text, className = '') => element('td', { className }, text);

const SVG = 'http://www.w3.org/2000/svg';

/** A bar for each minute; the sum and the highest are told as text. */
export function chart(title, minutes) {
  const sum = minutes.reduce((total, value) => total + value, 0);
  const told = `${title}: ${number(sum)}, at most ${number(Math.max(0, ...minutes))} a minute`;
  return element('figure', {}, bars(minutes), element('figcaption', {}, told));
}

/** Of more the gaps would be less than a pixel each: they are one shape. */
const MAX_BARS = 100;

function drawn(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  return made;
}

/** A bar for each value. @param most the height of the chart, at least */
export function bars(values, most = 1) {
  most = Math.max(most, ...values);
  const svg = drawn('svg', { viewBox: `0 0 ${values.length} 100`, preserveAspectRatio: 'none', class: 'chart', 'aria-hidden': 'true' });
  const heights = values.map((value) => (value === 0 ? 0 : Math.max(2, (value / most) * 100)));
  if (values.length > MAX_BARS) {
    const steps = heights.map((height, index) => `V${100 - height}H${index + 1}`);
    svg.append(drawn('path', { d: `M0 100${steps.join('')}V100Z` }));
  } else {
    heights.forEach((height, index) => {
      if (height > 0) svg.append(drawn('rect', { x: index + 0.1, y: 100 - height, width: 0.8, height }));
    });
  }
  return svg;
}
