/** The page: files, transformations in their order, and what becomes of them. All state is here, all words are in words.js. */
import { convert, log, ServiceError, status, transformations, upload } from './service.js';
import { preferredLanguage, WORDS } from './words.js';

const MAX_FILE_BYTES = 50_000_000;
const LOOK_MS = 500;

const element = (id) => document.getElementById(id);
let language = localStorage.getItem('language') ?? preferredLanguage(navigator.languages);
const say = (word, ...values) => {
  const said = WORDS[language][word];
  return typeof said === 'function' ? said(...values) : said;
};

/** `{ file, sent }`, sent from 0 to 1, or undefined before that */
let files = [];
/** `{ name, options }` */
let steps = [];
let descriptions = {};
let busy = false;
/** a function that says how it stands, in the language of the moment */
let state = () => '';

function make(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function iconButton(sign, label, enabled, onClick) {
  const button = make('button', { type: 'button', className: 'quiet', textContent: sign, title: label, disabled: !enabled || busy });
  button.setAttribute('aria-label', label);
  button.addEventListener('click', onClick);
  return button;
}

function showWords() {
  document.documentElement.lang = language;
  for (const each of document.querySelectorAll('[data-word]')) each.textContent = say(each.dataset.word);
  for (const each of document.querySelectorAll('[data-language]'))
    each.setAttribute('aria-pressed', String(each.dataset.language === language));
  showFiles();
  showChoices();
  showSteps();
  showState();
}

function showFiles() {
  element('files').replaceChildren(
    ...files.map((entry) => {
      const { file, sent } = entry;
      const tooLarge = file.size > MAX_FILE_BYTES;
      const words = tooLarge
        ? say('tooLarge')
        : sent === undefined
          ? say('ready')
          : sent === 1
            ? say('sent')
            : say('sending', Math.round(sent * 100));
      const bar = make('progress', { max: 1, value: sent ?? 0, hidden: sent === undefined || sent === 1 });
      bar.setAttribute('aria-label', file.name);
      const remove = () => {
        files = files.filter((each) => each !== entry);
        showFiles();
        showState();
      };
      return make(
        'li',
        {},
        make('span', { className: 'name', textContent: file.name }),
        make('span', { className: 'size', textContent: sizeOf(file.size) }),
        bar,
        make('span', { className: tooLarge ? 'error' : 'hint', textContent: words }),
        iconButton('✕', say('removeFile', file.name), true, remove),
      );
    }),
  );
}

function sizeOf(bytes) {
  const [value, unit] = bytes < 1000 ? [bytes, 'byte'] : bytes < 1e6 ? [bytes / 1e3, 'kilobyte'] : [bytes / 1e6, 'megabyte'];
  return new Intl.NumberFormat(language, {
    style: 'unit',
    unit,
    unitDisplay: bytes < 1000 ? 'long' : 'short',
    maximumFractionDigits: 1,
  }).format(value);
}

function showSteps() {
  element('steps').replaceChildren(
    ...steps.map((step, index) => {
      const label = labelOf(step.name);
      const swap = (other) => () => {
        [steps[index], steps[other]] = [steps[other], steps[index]];
        showSteps();
        element('steps').children[other].querySelector('button:not(:disabled)')?.focus();
      };
      const remove = () => {
        steps.splice(index, 1);
        showSteps();
        showState();
      };
      return make(
        'li',
        {},
        make('span', { className: 'name', textContent: label }),
        make(
          'span',
          { className: 'options' },
          ...(descriptions[step.name]?.options ?? []).map((option) => optionField(step, index, option)),
        ),
        iconButton('↑', say('up', label), index > 0, swap(index - 1)),
        iconButton('↓', say('down', label), index < steps.length - 1, swap(index + 1)),
        iconButton('✕', say('removeStep', label), true, remove),
      );
    }),
  );
}

/** A text with suggestions, or a choice: the key is sent, the value shown. */
function optionField(step, index, { id, label, values = {}, free_input: isFree }) {
  const fieldId = `option-${index}-${id}`;
  const set = ({ target }) => (step.options[id] = target.value);
  const entries = Object.entries(values);
  const name = make('label', { htmlFor: fieldId, textContent: label });
  if (isFree !== true) {
    const select = make(
      'select',
      { id: fieldId, disabled: busy },
      ...entries.map(([value, shown]) => make('option', { value, textContent: shown })),
    );
    select.value = step.options[id] ?? '';
    select.addEventListener('change', set);
    return make('span', {}, name, select);
  }
  const input = make('input', { id: fieldId, value: step.options[id] ?? '', disabled: busy });
  input.setAttribute('list', `${fieldId}-list`);
  input.addEventListener('input', set);
  return make(
    'span',
    {},
    name,
    input,
    make('datalist', { id: `${fieldId}-list` }, ...entries.map(([value, shown]) => make('option', { value, textContent: shown }))),
  );
}

/** The words of built-in ones are ours; those of others come as their authors wrote them. */
function wordsOf(name) {
  const { label = name, help = '' } = descriptions[name] ?? {};
  return WORDS[language].builtIn[`${name}: ${label}`] ?? { label, help };
}

const labelOf = (name) => wordsOf(name).label;

function showChoices() {
  const choice = element('transformation');
  const chosen = choice.value;
  const names = Object.keys(descriptions).sort((a, b) => labelOf(a).localeCompare(labelOf(b)));
  choice.replaceChildren(...names.map((name) => make('option', { value: name, textContent: labelOf(name), selected: name === chosen })));
  showHelp();
}

function showState() {
  const sendable = files.some(({ file }) => file.size <= MAX_FILE_BYTES);
  element('convert').disabled = busy || !sendable || steps.length === 0;
  element('choose').disabled = busy;
  const missing = !sendable ? say('needFiles') : steps.length === 0 ? say('needSteps') : '';
  element('state').textContent = state() || (busy ? '' : missing);
}

function tell(isError, how) {
  state = how;
  element('state').className = isError ? 'error' : '';
  showState();
}

function addFiles(list) {
  for (const file of list) {
    files = files.filter((each) => each.file.name !== file.name);
    files.push({ file, sent: undefined });
  }
  tell(false, () => '');
  showFiles();
}

function addStep(name) {
  const options = {};
  for (const { id, default: value, values = {} } of descriptions[name]?.options ?? []) options[id] = value ?? Object.keys(values)[0] ?? '';
  steps.push({ name, options });
  tell(false, () => '');
  showSteps();
}

async function run() {
  busy = true;
  element('download-line').hidden = true;
  element('log-box').hidden = true;
  files = files.map(({ file }) => ({ file, sent: undefined }));
  showSteps();
  try {
    for (const entry of files.filter(({ file }) => file.size <= MAX_FILE_BYTES)) {
      tell(false, () => say('uploading', entry.file.name));
      await upload(entry.file, (sent) => {
        entry.sent = Math.min(sent, 0.99);
        showFiles();
      });
      entry.sent = 1;
      showFiles();
    }
    tell(false, () => say('starting'));
    let failed = false;
    const watching = setInterval(() => void status().then(follow, () => undefined), LOOK_MS);
    try {
      await convert(steps);
    } finally {
      clearInterval(watching);
    }
    failed = await showLog();
    element('download-line').hidden = false;
    tell(failed, () => say(failed ? 'failed' : 'done'));
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    tell(true, () => (error.status === 403 ? say('session') : error.status === 0 ? say('lost') : say('refused', error.message)));
  } finally {
    busy = false;
    showFiles();
    showSteps();
    showState();
  }
}

function follow({ state: standing, position, transformation, log_lines: lines }) {
  if (standing === 'queued') tell(false, () => say('waiting', position));
  if (standing === 'running')
    tell(false, () => (transformation === null ? say('starting') : say('running', labelOf(transformation), lines)));
}

/** @returns whether it says that something failed */
async function showLog() {
  const lines = await log();
  element('log')
    .querySelector('tbody')
    .replaceChildren(
      ...lines.map(({ timestamp, level, name, message, time, ...more }) =>
        make(
          'tr',
          { className: level.toLowerCase() },
          make('td', { textContent: new Date(timestamp).toLocaleTimeString(language), title: `${time ?? ''} ${name}`.trim() }),
          make('td', { textContent: level }),
          make('td', {
            textContent: [message, ...Object.entries(more).map(([key, value]) => `${key}: ${JSON.stringify(value)}`)].join('  '),
          }),
        ),
      ),
    );
  const failed = lines.some(({ level, time }) => level === 'ERROR' && time !== undefined);
  element('log-box').hidden = false;
  element('log-box').open = failed;
  return failed;
}

function listen() {
  for (const each of document.querySelectorAll('[data-language]')) {
    each.addEventListener('click', () => {
      language = each.dataset.language;
      localStorage.setItem('language', language);
      showWords();
    });
  }
  element('choose').addEventListener('change', ({ target }) => {
    addFiles(target.files);
    target.value = '';
  });
  const drop = element('drop');
  for (const type of ['dragenter', 'dragover']) {
    drop.addEventListener(type, (event) => {
      event.preventDefault();
      drop.classList.add('over');
    });
  }
  for (const type of ['dragleave', 'drop']) drop.addEventListener(type, () => drop.classList.remove('over'));
  // A file that misses the area must not take the place of the page.
  for (const type of ['dragover', 'drop']) window.addEventListener(type, (event) => event.preventDefault());
  drop.addEventListener('drop', ({ dataTransfer }) => busy || addFiles(dataTransfer.files));
  element('add').addEventListener('submit', (event) => {
    event.preventDefault();
    if (element('transformation').value !== '') addStep(element('transformation').value);
  });
  element('transformation').addEventListener('change', showHelp);
  element('convert').addEventListener('click', () => void run());
}

function showHelp() {
  const { label, help } = wordsOf(element('transformation').value);
  element('help').textContent = help === label ? '' : help;
}

listen();
showWords();
try {
  descriptions = await transformations();
  showChoices();
} catch {
  tell(true, () => say('lost'));
}
