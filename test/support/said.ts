/**
 * What the sources can say: texts of errors, of answers and of log lines, read from the syntax tree. `…` stands for what differs.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { read, ROOT } from './docs.ts';

/** A place that says something to somebody. */
export interface Said {
  /** below src/ */
  readonly file: string;
  /** class of the error, `plainAnswer`, or the level of a log line */
  readonly by: string;
  /** texts of the arguments; undefined for one that is made elsewhere */
  readonly args: readonly (readonly string[] | undefined)[];
  /** numbers among the arguments */
  readonly numbers: readonly (number | undefined)[];
}

export interface Sources {
  readonly said: readonly Said[];
  /** every text that stands anywhere, but for the registry itself */
  readonly texts: ReadonlySet<string>;
  /** all that extend Error or one another of them */
  readonly errorClasses: readonly string[];
}

const REST = '…';
const LOGS = /(?:^|[.#])log$/i;
/** `fail` is that of a program that runs, which logs. */
const CALLS = new Set(['plainAnswer', 'onTooSlow', 'fail']);

export function readSources(): Sources {
  const said: Said[] = [];
  const texts = new Set<string>();
  const errorClasses: string[] = [];
  const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).map((name) => name.replaceAll('\\', '/'));
  for (const file of files.filter((name) => name.endsWith('.ts') && !name.startsWith('messages/'))) {
    const source = ts.createSourceFile(file, read(`src/${file}`), ts.ScriptTarget.Latest, true);
    const constants = constantsOf(source);
    const look = (node: ts.Node): void => {
      if (ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)) for (const text of textsOf(node, constants) ?? []) texts.add(text);
      if (
        ts.isClassDeclaration(node) &&
        node.name !== undefined &&
        /^\w*Error$/.test(node.heritageClauses?.[0]?.types[0]?.expression.getText() ?? '')
      )
        errorClasses.push(node.name.text);
      const by = speaker(node);
      if (by !== undefined) {
        const args = [...((node as ts.CallExpression | ts.NewExpression).arguments ?? [])];
        said.push({
          file,
          by,
          args: args.map((arg) => textsOf(arg, constants)),
          numbers: args.map((arg) => (ts.isNumericLiteral(arg) ? Number(arg.text) : undefined)),
        });
      }
      ts.forEachChild(node, look);
    };
    look(source);
  }
  return { said, texts, errorClasses };
}

function speaker(node: ts.Node): string | undefined {
  if (ts.isNewExpression(node)) return node.expression.getText().endsWith('Error') ? node.expression.getText() : undefined;
  if (!ts.isCallExpression(node)) return undefined;
  const { expression } = node;
  if (!ts.isPropertyAccessExpression(expression)) return CALLS.has(expression.getText()) ? expression.getText() : undefined;
  const name = expression.name.text;
  if (CALLS.has(name)) return name;
  return (name === 'warn' || name === 'error') && LOGS.test(expression.expression.getText()) ? name : undefined;
}

/** Constants of a file whose value is one text; not those whose name is used twice. */
function constantsOf(source: ts.SourceFile): ReadonlyMap<string, string> {
  const constants = new Map<string, string>();
  const seen = new Set<string>();
  const look = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && node.initializer !== undefined && ts.isIdentifier(node.name)) {
      const name = node.name.text;
      const [text, ...others] = textsOf(node.initializer, constants) ?? [];
      if (seen.has(name)) constants.delete(name);
      else if (text !== undefined && others.length === 0) constants.set(name, text);
      seen.add(name);
    }
    ts.forEachChild(node, look);
  };
  look(source);
  return constants;
}

/** What an expression can be as text, or undefined where it is made elsewhere. */
function textsOf(node: ts.Expression, constants: ReadonlyMap<string, string>): readonly string[] | undefined {
  if (ts.isStringLiteralLike(node)) return [node.text];
  if (ts.isParenthesizedExpression(node)) return textsOf(node.expression, constants);
  if (ts.isIdentifier(node)) {
    const text = constants.get(node.text);
    return text === undefined ? undefined : [text];
  }
  if (ts.isConditionalExpression(node)) {
    const branches = [node.whenTrue, node.whenFalse].flatMap((branch) => textsOf(branch, constants) ?? []);
    return branches.length === 0 ? undefined : branches;
  }
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken) {
    const ends = textsOf(node.right, constants) ?? [REST];
    return textsOf(node.left, constants)?.flatMap((text) => ends.map((end) => text + end));
  }
  if (!ts.isTemplateExpression(node)) return undefined;
  return [
    node.templateSpans.reduce((text, { expression, literal }) => {
      const inner = ts.isIdentifier(expression) ? constants.get(expression.text) : undefined;
      return `${text}${inner ?? REST}${literal.text}`;
    }, node.head.text),
  ];
}
