/** Who listens to a list is told of each change of it, once it is written. */
import { EventEmitter } from 'node:events';

export type ChangeKind = 'added' | 'updated' | 'deleted';

export class ListChanges<Entry> extends EventEmitter<{ change: [kind: ChangeKind, entry: Entry] }> {
  constructor() {
    super();
    // One for each subscription that is open.
    this.setMaxListeners(0);
  }
}
