/** Calls of the manager with the administrator's key, which stays in this tab and is gone with it. */
const NAME = 'warctap-queue-key';

/** The manager does not know the key. */
export class WrongKey extends Error {}

export const key = {
  get: () => sessionStorage.getItem(NAME),
  set: (text) => sessionStorage.setItem(NAME, text),
  forget: () => sessionStorage.removeItem(NAME),
};

/** @throws WrongKey, or an Error whose message is for people */
export async function ask(path, { method = 'GET', type = 'application/json', body } = {}) {
  let response;
  try {
    response = await fetch(path, {
      method,
      body,
      headers: { 'X-Heroshi-Auth': key.get() ?? '', ...(body === undefined ? {} : { 'Content-Type': type }) },
    });
  } catch {
    throw new Error('The manager cannot be reached.');
  }
  if (response.status === 401 || response.status === 403) throw new WrongKey("This is not the administrator's key.");
  if (!response.ok) throw new Error((await response.text()).trim() || `The manager answers ${response.status}.`);
  const text = await response.text();
  return text === '' ? null : JSON.parse(text);
}
