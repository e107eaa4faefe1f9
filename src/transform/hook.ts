/**
 * Tells whoever has asked for it that a job has ended: one POST, one second, no second try, nothing of the answer is looked at.
 *
 * Source: spec/circe.md §5.
 */
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';

const HOOK_TIMEOUT_MS = 1000;

/**
 * @param url as the client has written it; one that cannot be called is passed over
 * @param hosts that may be called; undefined: all
 * @param sent called once the POST has left, before its answer
 * @returns what came of it, for the log
 */
export async function callHook(url: string, id: string, hosts: readonly string[] | undefined, sent: () => void): Promise<string> {
  if (!URL.canParse(url)) return 'no URL';
  const { protocol, hostname, host } = new URL(url);
  if (protocol !== 'http:' && protocol !== 'https:') return `not called: ${protocol} is neither http: nor https:`;
  const allowed = hosts === undefined || hosts.some((each) => each.toLowerCase() === hostname || each.toLowerCase() === host);
  if (!allowed) return `not called: ${hostname} is not among ALLOWED_WEBHOOK_HOSTS`;
  const body = new URLSearchParams({ uuid: id }).toString();
  return new Promise((resolve) => {
    const request = (protocol === 'http:' ? requestHttp : requestHttps)(url, {
      method: 'POST',
      agent: false,
      headers: {
        'Content-Type': 'application/x-www-form-urlencoded',
        'Content-Length': Buffer.byteLength(body),
      },
    });
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${HOOK_TIMEOUT_MS} ms`)), HOOK_TIMEOUT_MS);
    const end = (said: string) => {
      clearTimeout(timer);
      resolve(said);
    };
    request.on('response', (response) => {
      end(`answered ${response.statusCode}`);
      response.destroy();
    });
    request.on('finish', sent);
    request.on('error', (error) => end(error.message));
    request.end(body);
  });
}
