/**
 * The thread in which PDFium reads: one file after the other, and the links of each in pieces.
 *
 * Links are those that Chromium's viewer lets one click on: the URI actions of link annotations, and what is a URL in the text of a page.
 * PDFium runs as WebAssembly: what a file makes it do stays in its memory, which is bounded here; its time is bounded by reader.ts. In
 * JavaScript, because a thread of Node 20 has nobody who would read TypeScript.
 *
 * Source: ISO 32000-2 §12.5.6.5 and §12.6.4.8; PDFium's public headers fpdf_doc.h and fpdf_text.h.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { parentPort } from 'node:worker_threads';

const PAGE_BYTES = 65_536;
/** Of PDFium: files of up to 10 MiB, and what it makes of them. */
const MAX_MEMORY = 128 * 1024 * 1024;
const MAX_LINK_BYTES = 65_536;
/** Of the links of one file: a short one may have a base of any length put in front of each of them. */
const MAX_CHARS = 16 * 1024 * 1024;
const URI_ACTION = 3;
/** What FPDF_GetLastError says. */
const ERRORS = { 3: 'it is no PDF, or broken', 4: 'it is encrypted', 5: 'it is encrypted' };

/** PDFium cannot be used again: it has not given back what it had. */
class TooMuchError extends Error {}

const MEMORY = `it takes more than ${MAX_MEMORY} bytes of memory`;

async function load() {
  const { init } = await import('@embedpdf/pdfium');
  const wasmBinary = await readFile(createRequire(import.meta.url).resolve('@embedpdf/pdfium/pdfium.wasm'));
  const silent = () => undefined;
  const api = await init({ wasmBinary, print: silent, printErr: silent });
  api.PDFiumExt_Init();
  const heap = api.pdfium;
  const { memory } = heap.wasmExports;
  const grow = memory.grow.bind(memory);
  memory.grow = (pages) => {
    if (memory.buffer.byteLength + pages * PAGE_BYTES > MAX_MEMORY) throw new RangeError('no more memory');
    return grow(pages);
  };
  return { api, heap };
}

function taken({ heap }, size) {
  const pointer = heap.wasmExports.malloc(size);
  if (pointer === 0) throw new TooMuchError(MEMORY);
  return pointer;
}

/** @param size in bytes, with the zero at the end @param write given where to */
function textOf(pdfium, size, coding, write) {
  if (size < 1 || size > MAX_LINK_BYTES) return '';
  const { heap } = pdfium;
  const at = taken(pdfium, size);
  write(at);
  const text = Buffer.from(heap.HEAPU8.subarray(at, at + size - (coding === 'utf8' ? 1 : 2))).toString(coding);
  heap.wasmExports.free(at);
  return text;
}

/** URIs of the annotations of a page. */
function* annotated(pdfium, document, page) {
  const { api, heap } = pdfium;
  // The position, which it counts on itself, and the link.
  const at = taken(pdfium, 8);
  heap.HEAPU8.fill(0, at, at + 8);
  while (api.FPDFLink_Enumerate(page, at, at + 4)) {
    const action = api.FPDFLink_GetAction(heap.getValue(at + 4, 'i32'));
    if (action === 0 || api.FPDFAction_GetType(action) !== URI_ACTION) continue;
    const size = api.FPDFAction_GetURIPath(document, action, 0, 0);
    yield textOf(pdfium, size, 'utf8', (to) => api.FPDFAction_GetURIPath(document, action, to, size));
  }
  heap.wasmExports.free(at);
}

/** URLs in the text of a page. */
function* written(pdfium, page) {
  const { api } = pdfium;
  const text = api.FPDFText_LoadPage(page);
  if (text === 0) return;
  const urls = api.FPDFLink_LoadWebLinks(text);
  for (let index = 0, count = api.FPDFLink_CountWebLinks(urls); index < count; index++) {
    const units = api.FPDFLink_GetURL(urls, index, 0, 0);
    yield textOf(pdfium, units * 2, 'utf16le', (to) => api.FPDFLink_GetURL(urls, index, to, units));
  }
  api.FPDFLink_CloseWebLinks(urls);
  api.FPDFText_ClosePage(text);
}

function* pageLinks(pdfium, document, number) {
  const { api } = pdfium;
  const page = api.FPDF_LoadPage(document, number);
  if (page === 0) return;
  yield* annotated(pdfium, document, page);
  yield* written(pdfium, page);
  api.FPDF_ClosePage(page);
}

/** @param found given the links of a page, each once @returns empty, or why not all was read */
function read(pdfium, bytes, found) {
  const { api, heap } = pdfium;
  const file = taken(pdfium, bytes.length);
  heap.HEAPU8.set(bytes, file);
  const document = api.FPDF_LoadMemDocument(file, bytes.length, '');
  if (document === 0) {
    heap.wasmExports.free(file);
    return ERRORS[api.FPDF_GetLastError()] ?? 'it cannot be read';
  }
  const known = new Set();
  let chars = 0;
  for (let page = 0, count = api.FPDF_GetPageCount(document); page < count; page++) {
    const links = [];
    for (const link of pageLinks(pdfium, document, page)) {
      if (link === '' || known.has(link)) continue;
      known.add(link);
      links.push(link);
      chars += link.length;
      if (chars > MAX_CHARS) break;
    }
    if (links.length > 0) found(links);
    if (chars > MAX_CHARS) throw new TooMuchError(`it has more than ${MAX_CHARS} characters of links`);
  }
  api.FPDF_CloseDocument(document);
  heap.wasmExports.free(file);
  return '';
}

/** When memory is not to be had PDFium aborts. */
function reasonOf(error) {
  if (error instanceof TooMuchError) return error.message;
  return error.name === 'RuntimeError' && /abort/i.test(error.message) ? MEMORY : `PDFium has failed: ${error.message}`;
}

const loading = load();
loading.catch(() => undefined);
parentPort.on('message', (bytes) => {
  loading
    .then((pdfium) => {
      parentPort.postMessage({ begun: true });
      const why = read(pdfium, bytes, (links) => parentPort.postMessage({ links }));
      parentPort.postMessage({ why, memory: pdfium.heap.HEAPU8.length });
    })
    .catch((error) => parentPort.postMessage({ why: reasonOf(error), memory: Infinity }));
});
