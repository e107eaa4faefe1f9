/** What the page asks of the service. Every call throws a `ServiceError` with what the service says, or without a word when it is not there. */
export class ServiceError extends Error {
  constructor(status, said) {
    super(said);
    this.status = status;
  }
}

/** @returns descriptions by name */
export async function transformations() {
  return (await call('/transformations/?descriptions=1')).json();
}

/** @param onProgress called with 0 to 1 */
export function upload(file, onProgress) {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    form.append('file', file, file.name);
    // Only this one tells how far an upload is.
    const request = new XMLHttpRequest();
    request.open('POST', '/upload/');
    request.upload.addEventListener('progress', ({ loaded, total }) => onProgress(total === 0 ? 1 : loaded / total));
    request.addEventListener('load', () =>
      request.status === 200 ? resolve() : reject(new ServiceError(request.status, request.responseText.trim())),
    );
    request.addEventListener('error', () => reject(new ServiceError(0, '')));
    request.send(form);
  });
}

/** Resolves when the job has ended, however it did. */
export async function convert(steps) {
  await call('/webui/setjob/', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(steps) });
}

export async function status() {
  return (await call('/webui/status/')).json();
}

/** @returns the lines of the log of the last job */
export async function log() {
  const text = await (await call('/webui/log/')).text();
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

async function call(path, options) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new ServiceError(0, '');
  }
  if (!answer.ok) throw new ServiceError(answer.status, (await answer.text()).trim());
  return answer;
}
