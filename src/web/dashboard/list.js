/**
 * A list of any length, of which only what is in sight is there as elements. The latest first; who has scrolled down keeps what is in sight.
 *
 * By keyboard: arrows, Page Up and Down, Home, End; Enter opens.
 */
import { element } from '../page/show.js';

/** Beyond what is in sight, so that a quick hand sees no gap. */
const SPARE = 6;

export class VirtualList {
  #place;
  #cells;
  #open;
  #end;
  /** oldest first */
  #rows = [];
  /** elements in place, by their row */
  #shown = new Map();
  #room = element('div', { className: 'room' });
  #none = element('p', { className: 'none' });
  #chosen = -1;
  #height = 34;
  #waiting = false;

  /** @param cells elements of a row. @param open what is done with one. @param end the oldest is in sight */
  constructor(place, { cells, open, end }) {
    this.#place = place;
    this.#cells = cells;
    this.#open = open;
    this.#end = end;
    place.append(this.#room, this.#none);
    place.addEventListener('scroll', () => this.#draw());
    place.addEventListener('keydown', (event) => this.#onKey(event));
    place.addEventListener('click', (event) => {
      const line = event.target.closest('[role=option]');
      if (line !== null) this.#choose(Number(line.dataset.nth), true);
    });
    new ResizeObserver(() => {
      for (const line of this.#shown.values()) line.remove();
      this.#shown.clear();
      this.#draw();
    }).observe(place);
  }

  get length() {
    return this.#rows.length;
  }

  set none(text) {
    this.#none.textContent = text;
    this.#none.hidden = this.#rows.length > 0 || text === '';
  }

  /** @param rows oldest first */
  set(rows) {
    this.#rows = rows;
    this.#chosen = -1;
    this.#place.scrollTop = 0;
    this.#redraw();
  }

  /** Later ones. @param most so many are kept */
  add(rows, most) {
    const { scrollTop } = this.#place;
    this.#rows.push(...rows);
    if (this.#chosen >= 0) this.#chosen += rows.length;
    if (this.#rows.length > most) this.#rows.splice(0, this.#rows.length - most);
    this.#redraw();
    this.#room.style.height = `${this.#rows.length * this.#height}px`;
    if (scrollTop > 0) this.#place.scrollTop = scrollTop + rows.length * this.#height;
  }

  /** Older ones, oldest first. */
  addOlder(rows) {
    this.#rows.unshift(...rows);
    this.#redraw();
  }

  #redraw() {
    if (this.#waiting) return;
    this.#waiting = true;
    requestAnimationFrame(() => {
      this.#waiting = false;
      this.#draw();
    });
  }

  #draw() {
    const { clientHeight, scrollTop } = this.#place;
    const count = this.#rows.length;
    const some = this.#shown.values().next().value ?? (count > 0 ? this.#line(0) : undefined);
    if (some !== undefined) this.#height = some.offsetHeight || this.#height;
    this.#room.style.height = `${count * this.#height}px`;
    this.#none.hidden = count > 0 || this.#none.textContent === '';
    const from = Math.max(0, Math.floor(scrollTop / this.#height) - SPARE);
    const to = Math.min(count, Math.ceil((scrollTop + clientHeight) / this.#height) + SPARE);
    const inSight = new Set(this.#rows.slice(count - to, count - from));
    for (const [row, line] of this.#shown) {
      if (inSight.has(row)) continue;
      line.remove();
      this.#shown.delete(row);
    }
    // In the order in which they are read; those that are in it already stay.
    let before = this.#none;
    for (let nth = from; nth < to; nth++) {
      const line = this.#line(nth);
      if (before.nextSibling !== line) before.after(line);
      before = line;
    }
    if (to === count && count > 0) this.#end();
  }

  /** The element of a row, at its place. */
  #line(nth) {
    const row = this.#rows[this.#rows.length - 1 - nth];
    let line = this.#shown.get(row);
    if (line === undefined) {
      line = element('div', { className: 'line', role: 'option' }, ...this.#cells(row));
      this.#shown.set(row, line);
      this.#place.append(line);
    }
    line.id = `row-${nth}`;
    line.dataset.nth = String(nth);
    line.setAttribute('aria-selected', String(nth === this.#chosen));
    line.setAttribute('aria-posinset', String(nth + 1));
    line.setAttribute('aria-setsize', String(this.#rows.length));
    line.style.top = `${nth * this.#height}px`;
    return line;
  }

  #onKey(event) {
    const page = Math.max(1, Math.floor(this.#place.clientHeight / this.#height) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.key === 'Enter' && this.#chosen >= 0) this.#choose(this.#chosen, true);
    else if (event.key in steps) this.#choose(Math.min(this.#rows.length - 1, Math.max(0, this.#chosen + steps[event.key])), false);
    else return;
    event.preventDefault();
  }

  #choose(nth, open) {
    if (this.#rows.length === 0) return;
    this.#chosen = nth;
    const top = nth * this.#height;
    const { scrollTop, clientHeight } = this.#place;
    if (top < scrollTop) this.#place.scrollTop = top;
    else if (top + this.#height > scrollTop + clientHeight) this.#place.scrollTop = top + this.#height - clientHeight;
    this.#draw();
    this.#place.setAttribute('aria-activedescendant', `row-${nth}`);
    if (open) this.#open(this.#rows[this.#rows.length - 1 - nth]);
  }
}
