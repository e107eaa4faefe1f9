import js from '@eslint/js';
import ts from 'typescript-eslint';

const MEASURED = 'What is measured goes by performance.now(): the clock of the wall is set by people and by NTP.';
const WALL_CLOCK = [
  "MemberExpression[object.name='Date'][property.name='now']",
  "NewExpression[callee.name='Date'][arguments.length=0]",
  "BinaryExpression[operator='-'] CallExpression[callee.property.name='getTime']",
].map((selector) => ({ selector, message: MEASURED }));

export default ts.config(
  { ignores: ['dist/', 'node_modules/', '**/tmp/', 'src/crawl/proto/starbelly_pb.ts'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [ts.configs.strictTypeChecked, ts.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // HTTP is about them.
      'no-control-regex': 'off',
      '@typescript-eslint/no-floating-promises': 'error',
      // What is taken out of an object, to leave the rest.
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/consistent-type-definitions': 'off',
      '@typescript-eslint/no-empty-function': 'off',
    },
  },
  {
    files: ['src/**/*.ts'],
    // Where the time of day belongs: what tells it to the others, certificates, dates of records.
    ignores: ['src/util/time-of-day.ts', 'src/ca/**', 'src/archive/warc-writer.ts', 'src/store/memory/playback.ts'],
    rules: { 'no-restricted-syntax': ['error', ...WALL_CLOCK] },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // node:test returns promises from test() and describe() that the runner itself awaits.
      '@typescript-eslint/no-floating-promises': [
        'error',
        { allowForKnownSafeCalls: [{ from: 'package', package: 'node:test', name: ['test', 'describe', 'it', 'suite'] }] },
      ],
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    files: ['**/*.js'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        Buffer: 'readonly',
        URL: 'readonly',
        fetch: 'readonly',
        AbortSignal: 'readonly',
      },
    },
  },
  {
    // What browsers run.
    files: ['src/*/page/*.js', 'src/web/*/*.js'],
    languageOptions: {
      globals: Object.fromEntries(
        [
          ...['document', 'window', 'navigator', 'location', 'localStorage', 'sessionStorage', 'Event', 'CustomEvent', 'Blob', 'FormData'],
          ...['XMLHttpRequest', 'WebSocket', 'Intl', 'TextDecoder', 'TextEncoder', 'atob', 'btoa', 'confirm', 'requestAnimationFrame'],
          ...[
            'setInterval',
            'clearInterval',
            'setTimeout',
            'clearTimeout',
            'performance',
            'AbortController',
            'URLSearchParams',
            'EventSource',
            'ResizeObserver',
          ],
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
);
