/** What the pages of the proxy have in common: the way from one to the other, and what the proxy tells of itself. */
import { element } from './show.js';

const PLACES = [
  ['/', 'Start'],
  ['/dashboard', 'Dashboard'],
  ['/replay/', 'Replay'],
];

/** Fills the element `places`. @returns what `/about.json` says. @throws an Error whose message is for people */
export async function arrive() {
  const about = await read('/about.json');
  const links = PLACES.filter(([path]) => about.pages.includes(path)).map(([path, title]) => {
    const link = element('a', { href: path }, title);
    // A folder stands for all that is in it.
    if (path === location.pathname || (path !== '/' && path.endsWith('/') && location.pathname.startsWith(path)))
      link.setAttribute('aria-current', 'page');
    return link;
  });
  document.getElementById('places').replaceChildren(...links);
  return about;
}

/** JSON of the proxy. @throws an Error whose message is for people */
export async function read(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Error('The proxy cannot be reached.', { cause: error });
  }
  if (!response.ok) throw new Error((await response.text()).trim() || `The proxy answers ${response.status}.`);
  return response.json();
}
