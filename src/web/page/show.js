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

/** A bar for each value. @param most the height of the chart, at least */
export function bars(values, most = 1) {
  most = Math.max(most, ...values);
  // Of many the gaps would be less than a pixel, and stripes.
  const gap = values.length > 100 ? 0 : 0.1;
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', `0 0 ${values.length} 100`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('class', 'chart');
  svg.setAttribute('aria-hidden', 'true');
  values.forEach((value, index) => {
    if (value === 0) return;
    const bar = document.createElementNS(SVG, 'rect');
    const height = Math.max(2, (value / most) * 100);
    for (const [name, is] of Object.entries({ x: index + gap, y: 100 - height, width: 1 - 2 * gap, height })) bar.setAttribute(name, is);
    svg.append(bar);
  });
  return svg;
}
