/** A capture within the page, by ReplayWeb.page, which the playback listener has: at another port, so that it is of another origin. */
import { element } from '../page/show.js';

/** Service workers, by which it works, want an origin that nobody on the way can change. */
export function canShow({ inPage }) {
  return inPage && window.isSecureContext;
}

export function hide(frame) {
  frame.hidden = true;
  frame.replaceChildren();
}

/** @param stamp such as `20260102030405` */
export function show(frame, { about, url, stamp }) {
  const { port } = new URL(about.playback);
  const origin = `http://${location.hostname}:${port}`;
  const place = new URLSearchParams({ url, stamp });
  frame.replaceChildren(element('iframe', { src: `${origin}/replay/web/?${place}`, title: `${url}, as it was` }));
  frame.hidden = false;
  frame.scrollIntoView({ block: 'nearest' });
}
