/** A calendar of one year: each day with captures is a button that says how many. Days are those of UTC, as in the records. */
import { element, number } from '../page/show.js';

const MONTHS = Array.from({ length: 12 }, (_, month) =>
  new Date(Date.UTC(2024, month)).toLocaleString('en', { month: 'long', timeZone: 'UTC' }),
);
const WEEK = ['Mo', 'Tu', 'We', 'Th', 'Fr', 'Sa', 'Su'];

/** @param byDay how many captures, by `2026-01-02`. @param onDay called with the day that was chosen */
export function calendar(year, byDay, onDay) {
  return MONTHS.flatMap((name, month) => {
    const of = `${year}-${String(month + 1).padStart(2, '0')}`;
    return [...byDay.keys()].some((day) => day.startsWith(of)) ? [monthOf(name, of, byDay, onDay)] : [];
  });
}

function monthOf(name, of, byDay, onDay) {
  const first = new Date(`${of}-01T00:00:00Z`);
  const days = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 0)).getUTCDate();
  const cells = Array.from({ length: (first.getUTCDay() + 6) % 7 }, () => element('td'));
  for (let day = 1; day <= days; day++) {
    const date = `${of}-${String(day).padStart(2, '0')}`;
    cells.push(element('td', {}, byDay.has(date) ? dayButton(day, date, byDay.get(date), onDay) : String(day)));
  }
  const weeks = [];
  for (let at = 0; at < cells.length; at += 7) weeks.push(element('tr', {}, ...cells.slice(at, at + 7)));
  const head = element('tr', {}, ...WEEK.map((day) => element('th', { scope: 'col' }, day)));
  return element('table', {}, element('caption', {}, name), element('thead', {}, head), element('tbody', {}, ...weeks));
}

function dayButton(day, date, count, onDay) {
  const button = element('button', { type: 'button', title: `${number(count)} on ${date}` }, String(day));
  button.setAttribute('aria-label', `${date}, ${number(count)} ${count === 1 ? 'capture' : 'captures'}`);
  button.dataset.day = date;
  button.addEventListener('click', () => onDay(date));
  return button;
}
