/** Something that has an end, and how much of it is taken. */
export interface Bound {
  /** the option that sets it, without its dashes, or what it is called where there is none */
  readonly name: string;
  readonly unit: 'bytes' | 'number';
  readonly used: number;
  /** undefined where none is set */
  readonly limit: number | undefined;
}
