/**
 * From one kind of document to another, by pandoc (Debian's package of that name). Images inside of a Word file are not kept.
 */
import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { eachFile } from './each-file.js';

const run = promisify(execFile);
const MAX_BYTES = 200_000_000;
const ENDINGS = ['.docx', '.odt', '.html', '.md', '.rst', '.tex', '.epub'];
const TARGETS = {
  docx: 'Word',
  odt: 'OpenDocument',
  html: 'HTML',
  markdown: 'Markdown',
  rst: 'reStructuredText',
  latex: 'LaTeX',
  epub: 'EPUB',
};
const ENDING_OF = { markdown: 'md', latex: 'tex' };

export async function pandoc(dir, logger, { destination_format: format = 'html' }) {
  if (!Object.hasOwn(TARGETS, format))
    throw new Error(`destination_format: expected one of ${Object.keys(TARGETS).join(', ')}, got ${format}`);
  const target = `.${ENDING_OF[format] ?? format}`;
  await eachFile(dir, logger, {
    label: `pandoc to ${TARGETS[format]}`,
    endings: ENDINGS.filter((ending) => ending !== target),
    target,
    convert: (source, file) => convert(source, file, format),
  });
}

/** In two steps: only what reads the document runs without leave to open files, as Debian's pandoc needs some to write others. */
async function convert(source, target, format) {
  const { stdout } = await run('pandoc', ['--sandbox', '--to', 'json', source], { maxBuffer: MAX_BYTES });
  const writing = run('pandoc', ['--from', 'json', '--to', format, '--standalone', '--output', target], { cwd: dirname(source) });
  writing.child.stdin.end(JSON.stringify(JSON.parse(stdout), withoutOutside));
  await writing;
}

/** Images that lie beside the document stay; of others, which would be read from anywhere, only what they are called. */
function withoutOutside(key, node) {
  if (node?.t !== 'Image') return node;
  const [attributes, words, [path]] = node.c;
  return /^[\w-][\w. -]*$/.test(path) ? node : { t: 'Span', c: [attributes, words] };
}

pandoc.description = {
  label: 'pandoc',
  help: 'Converts Word, OpenDocument, HTML, Markdown, reStructuredText, LaTeX and EPUB files.',
  options: [{ id: 'destination_format', label: 'To', values: TARGETS, default: 'html' }],
};
