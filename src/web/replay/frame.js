/**
 * The page within `/replay/` in which ReplayWeb.page shows a capture: `?url=…&stamp=20260102030405`.
 *
 * Its service worker answers for this folder, and asks us for what was archived.
 */
import { element } from '../page/show.js';

const FOLDER = '/replay/web/';
const NAME = 'archive';
const PREFIX = `${location.origin}/replay/raw/`;
const START_MS = 15_000;

/** The service worker, once this page is its. */
async function worker() {
  await navigator.serviceWorker.register(`${FOLDER}sw.js`, { scope: FOLDER });
  const { controller } = navigator.serviceWorker;
  if (controller !== null) return controller;
  await new Promise((resolve) => navigator.serviceWorker.addEventListener('controllerchange', resolve, { once: true }));
  return navigator.serviceWorker.controller;
}

/** Tell it of our archive. */
function added(its) {
  const isIt = ({ data }) => data.msg_type === 'collAdded' && data.name === NAME;
  const said = new Promise((resolve) => navigator.serviceWorker.addEventListener('message', (event) => isIt(event) && resolve()));
  const extraConfig = { prefix: PREFIX, isLive: false };
  its.postMessage({
    msg_type: 'addColl',
    name: NAME,
    type: 'live',
    file: { sourceUrl: `proxy:${PREFIX}` },
    extraConfig,
    skipExisting: true,
  });
  return said;
}

const late = setTimeout(() => (document.getElementById('state').textContent = 'ReplayWeb.page does not start in this browser.'), START_MS);
try {
  await added(await worker());
  const asked = new URLSearchParams(location.search);
  const src = `${FOLDER}w/${NAME}/${asked.get('stamp')}mp_/${asked.get('url')}`;
  document.body.replaceChildren(element('iframe', { src, title: asked.get('url') }));
} catch (error) {
  document.getElementById('state').textContent = `ReplayWeb.page does not start: ${error.message}`;
}
clearTimeout(late);
