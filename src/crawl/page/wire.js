/**
 * The API over one WebSocket, in JSON: commands with their responses, subscriptions that outlive the connection.
 *
 * A command is `{ getJob: { jobId } }`, as the .proto has it in the names of JSON; identifiers are Base64. The credentials stay in this tab,
 * and are gone with it.
 */
const NAME = 'warctap-crawl-log-in';
const PROTOCOL = 'starbelly.json';
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;

/** The server has refused: its words. */
export class Refused extends Error {}

/** The name or the password is wrong. */
export class WrongLogIn extends Error {}

/** by identifier of the request: `{ resolve, reject, stream }` */
const asked = new Map();
/** those that are wanted: `{ command, onEvent, onEnd, id, stopped }` */
const streams = new Set();
/** by identifier of the subscription, on this connection */
const open = new Map();
let socket;
let nextRequest = 0;
let wait = FIRST_WAIT_MS;
let timer;
let onState = () => undefined;
let replayUrl;

export const hasLogIn = () => sessionStorage.getItem(NAME) !== null;

export function setLogIn(user, password) {
  const bytes = new TextEncoder().encode(`${user}:${password}`);
  sessionStorage.setItem(NAME, btoa(String.fromCharCode(...bytes)));
}

export function logOut() {
  sessionStorage.removeItem(NAME);
  clearTimeout(timer);
  streams.clear();
  socket?.close();
}

/** Where a URL is replayed as it was then. @param time of the API. @returns undefined without such a place */
export function replayOf(url, time) {
  const timestamp = time.replace(/\D/g, '').slice(0, 14);
  return replayUrl?.replace(/\{(URL|TIMESTAMP)\}/g, (_, name) => (name === 'URL' ? url : timestamp));
}

/** @param listener of `open`, `lost` and `wrong`: the credentials are good no more */
export function onConnection(listener) {
  onState = listener;
}

/** A page of the server. @throws WrongLogIn, or an Error whose message is for people */
export async function fetchPage(path, { signal } = {}) {
  let response;
  try {
    // Without the browser's own credentials it asks for none, either.
    response = await fetch(path, { headers: { Authorization: `Basic ${sessionStorage.getItem(NAME)}` }, credentials: 'omit', signal });
  } catch (cause) {
    if (cause.name === 'AbortError') throw cause;
    throw new Error('The server cannot be reached.', { cause });
  }
  if (response.status === 401) throw new WrongLogIn('The user or the password is wrong.');
  if (!response.ok) throw new Error((await response.text()).trim() || `The server answers ${response.status}.`);
  return response;
}

/** Resolves once there is a connection. @throws as `fetchPage` */
export async function connect() {
  ({ replayUrl } = await (await fetchPage('/log-in')).json());
  const credentials = sessionStorage.getItem(NAME).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
  const made = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/ws/`, [PROTOCOL, `basic.${credentials}`]);
  await new Promise((resolve, reject) => {
    made.onopen = resolve;
    made.onclose = () => reject(new Error('The server cannot be reached.'));
  });
  socket = made;
  wait = FIRST_WAIT_MS;
  made.onmessage = ({ data }) => receive(JSON.parse(data));
  made.onclose = () => lost(made);
  onState('open');
  for (const stream of streams) send(stream.command, { stream });
}

/** What the response has: `{ job: {…} }`. @throws Refused, or an Error whose message is for people */
export function ask(command) {
  return new Promise((resolve, reject) => send(command, { resolve, reject }));
}

const NOTHING = () => undefined;

/**
 * After a loss of the connection it begins anew.
 *
 * @param onBegin called each time, before its first event; `onEnd` with what has gone wrong, if anything
 * @returns a function that ends it
 */
export function subscribe(command, onEvent, { onBegin = NOTHING, onEnd = NOTHING } = {}) {
  const stream = { command, onEvent, onBegin, onEnd, id: undefined };
  streams.add(stream);
  if (socket?.readyState === WebSocket.OPEN) send(command, { stream });
  return () => {
    streams.delete(stream);
    if (stream.id !== undefined && open.delete(stream.id)) ask({ unsubscribe: { subscriptionId: stream.id } }).catch(NOTHING);
  };
}

function send(command, waiting) {
  if (socket?.readyState !== WebSocket.OPEN) return waiting.reject?.(new Error('There is no connection to the server at the moment.'));
  const requestId = nextRequest;
  nextRequest = (nextRequest + 1) & 0x7fffffff;
  asked.set(requestId, waiting);
  socket.send(JSON.stringify({ requestId, ...command }));
}

function receive({ response, event }) {
  if (response !== undefined) answered(response);
  else if (event !== undefined) happened(event);
}

function answered({ requestId, isSuccess, errorMessage, ...body }) {
  const { resolve, reject, stream } = asked.get(requestId) ?? {};
  asked.delete(requestId);
  if (stream === undefined) return isSuccess ? resolve?.(body) : reject?.(new Refused(errorMessage));
  if (!isSuccess) return streams.delete(stream) && stream.onEnd(errorMessage);
  stream.id = body.newSubscription.subscriptionId;
  if (!streams.has(stream)) return void ask({ unsubscribe: { subscriptionId: stream.id } }).catch(NOTHING);
  open.set(stream.id, stream);
  stream.onBegin();
}

function happened({ subscriptionId, ...body }) {
  const stream = open.get(subscriptionId);
  if (stream === undefined) return;
  if (body.subscriptionClosed === undefined) return stream.onEvent(body);
  open.delete(subscriptionId);
  streams.delete(stream);
  stream.onEnd(body.subscriptionClosed.message);
}

function lost(which) {
  if (which !== socket) return;
  socket = undefined;
  open.clear();
  for (const { reject } of asked.values()) reject?.(new Error('The connection to the server was lost.'));
  asked.clear();
  if (!hasLogIn()) return;
  onState('lost');
  again();
}

function again() {
  clearTimeout(timer);
  timer = setTimeout(() => {
    connect().catch((error) => (error instanceof WrongLogIn ? onState('wrong') : again()));
  }, wait);
  wait = Math.min(2 * wait, LONGEST_WAIT_MS);
}
