/**
 * The text format of Prometheus. Pure.
 *
 * Source: Prometheus, Exposition formats, version 0.0.4.
 */

export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels?: Labels;
  readonly value: number;
}

/** Values of one name. A family without samples is not shown. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly samples: readonly Sample[];
}

/** Observations, counted by what they are at most. */
export interface HistogramFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'histogram';
  /** upper bounds, in ascending order; beyond the last there is one more count */
  readonly bounds: readonly number[];
  /** of each alone, not of those below as well; one more than bounds */
  readonly counts: readonly number[];
  readonly sum: number;
}

export function exposition(families: readonly (Family | HistogramFamily)[]): string {
  return families.map((family) => (family.type === 'histogram' ? histogram(family) : plain(family))).join('');
}

function plain({ name, help, type, samples }: Family): string {
  if (samples.length === 0) return '';
  return head(name, help, type) + samples.map(({ labels = {}, value }) => line(name, labels, value)).join('');
}

function histogram({ name, help, bounds, counts, sum }: HistogramFamily): string {
  let total = 0;
  const buckets = counts.map((count, index) => {
    total += count;
    const bound = bounds[index];
    return line(`${name}_bucket`, { le: bound === undefined ? '+Inf' : String(bound) }, total);
  });
  return `${head(name, help, 'histogram')}${buckets.join('')}${line(`${name}_sum`, {}, sum)}${line(`${name}_count`, {}, total)}`;
}

function head(name: string, help: string, type: string): string {
  return `# HELP ${name} ${help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')}\n# TYPE ${name} ${type}\n`;
}

function line(name: string, labels: Labels, value: number): string {
  const written = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  const shown = value === Infinity ? '+Inf' : String(value);
  return `${name}${written.length === 0 ? '' : `{${written.join(',')}}`} ${shown}\n`;
}

function escaped(text: string): string {
  return text.replace(/[\\"\n]/g, (sign) => ({ '\\': '\\\\', '"': '\\"', '\n': '\\n' })[sign] ?? '');
}
