import { fieldNameIn } from '../http/field-names.ts';
import { trimmedSlice, type Field } from '../http/fields.ts';

/** A line of a head that is exactly a field. Most are only sent on: what it says is cut out of the head when it is asked for. */
export class FieldLine implements Field {
  readonly name: string;
  readonly key: string;
  readonly exact = true;
  readonly head: string;
  /** where it stands in the head, line ending included */
  readonly start: number;
  readonly end: number;

  constructor(head: string, start: number, end: number) {
    const { name, key } = fieldNameIn(head, start, head.indexOf(':', start));
    this.name = name;
    this.key = key;
    this.head = head;
    this.start = start;
    this.end = end;
  }

  get value(): string {
    return trimmedSlice(this.head, this.start + this.name.length + 1, this.end - 2);
  }

  get line(): string {
    return this.head.slice(this.start, this.end);
  }
}
