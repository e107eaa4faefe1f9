/**
 * The names of an archive, before anything of it is written: what lies in what, and where links lead to.
 *
 * Nothing may leave the folder: by an absolute name, by `..`, by a link, or by a link that leads to another. Pure.
 */
import { badArchive } from './errors.ts';
import { JOB_FILE } from './job-file.ts';
import type { TarMember } from './tar-read.ts';

type Node = { readonly kind: 'file' | 'folder' } | { readonly kind: 'symlink'; readonly target: string };

/** Of the whole name; the standard's PATH_MAX. */
const MAX_NAME_BYTES = 4096;
/** Of one part, as file systems have it (NAME_MAX). */
const MAX_PART_BYTES = 255;
/** As Linux follows them (path_resolution(7)). */
const MAX_LINKS_FOLLOWED = 40;
/** Parts that are looked up for all links together. */
const MAX_STEPS = 100_000;

export interface TreeLimits {
  /** files, folders and links, folders that are not members themselves included */
  readonly maxMembers: number;
  /** what raises that bound, for messages */
  readonly raisedBy?: string;
  /** of a name; less than PATH_MAX by as much as the folder's own path takes */
  readonly maxNameBytes: number;
}

export class Tree {
  readonly #nodes = new Map<string, Node>();
  readonly #limits: TreeLimits;
  #members = 0;
  #steps = 0;

  constructor(limits: TreeLimits) {
    this.#limits = limits;
  }

  /**
   * @returns the name in its simplest form, with what a hard link leads to in the same form; undefined for the folder itself
   * @throws Refusal
   */
  add({ name, kind, target }: TarMember): { path: string; from: string; replaces: boolean } | undefined {
    if (++this.#members > this.#limits.maxMembers) throw this.#tooMany();
    const parts = partsOf(name, this.#limits.maxNameBytes);
    if (parts.length === 0) {
      if (kind === 'folder') return undefined;
      throw badArchive(`${shown(name)} is no name for a file`);
    }
    const path = parts.join('/');
    this.#addFoldersOf(path);
    const before = this.#nodes.get(path);
    if (before !== undefined && path === JOB_FILE) throw badArchive(`${JOB_FILE} is there twice`);
    if (before !== undefined && (before.kind !== kind || kind === 'symlink'))
      throw badArchive(`${shown(path)} is there twice, and not as a file both times`);
    if (path === JOB_FILE && kind !== 'file') throw badArchive(`${JOB_FILE}: expected a file, got a ${kind}`);
    if (kind === 'symlink' && (target === '' || target.includes('\0') || Buffer.byteLength(target) >= MAX_NAME_BYTES))
      throw badArchive(`${shown(path)} is a link to ${shown(target)}: expected a path`);
    let from = '';
    if (kind === 'link') {
      from = partsOf(target, this.#limits.maxNameBytes).join('/');
      if (this.#nodes.get(from)?.kind !== 'file' || before !== undefined)
        throw badArchive(`${shown(path)} is a link to ${shown(target)}: expected a file that stands before it in the archive`);
    }
    this.#nodes.set(path, kind === 'symlink' ? { kind, target } : { kind: kind === 'folder' ? 'folder' : 'file' });
    if (this.#nodes.size > this.#limits.maxMembers) throw this.#tooMany();
    return { path, from, replaces: before !== undefined };
  }

  /** Once all are there. @throws Refusal for a link that leaves the folder */
  checkLinks(): void {
    for (const [path, node] of this.#nodes) {
      if (node.kind !== 'symlink') continue;
      if (!this.#staysInside(path.slice(0, Math.max(0, path.lastIndexOf('/'))), node.target))
        throw badArchive(`${shown(path)} is a link that leaves the folder: ${shown(node.target)}`);
    }
  }

  /** From the innermost outwards: above one that is there all are. */
  #addFoldersOf(path: string): void {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const folder = path.slice(0, end);
      const kind = this.#nodes.get(folder)?.kind;
      if (kind === 'folder') return;
      if (kind !== undefined) throw badArchive(`${shown(path)} lies in ${shown(folder)}, which is a ${kind} and no folder`);
      this.#nodes.set(folder, { kind: 'folder' });
      if (this.#nodes.size > this.#limits.maxMembers) throw this.#tooMany();
    }
  }

  /** Walk a link as the system would: `..` after a link is that of where the link leads. */
  #staysInside(from: string, target: string): boolean {
    const at = from === '' ? [] : from.split('/').map((_, index, parts) => parts.slice(0, index + 1).join('/'));
    const ahead = [...partsAhead(target)];
    for (let followed = 0; ahead.length > 0;) {
      if (++this.#steps > MAX_STEPS) throw badArchive('the archive has links that lead to links that lead to links: expected fewer');
      const part = ahead.pop();
      if (part === undefined || part === '' || part === '.') continue;
      // Of an absolute link the first part.
      if (part === '/') return false;
      if (part === '..') {
        if (at.pop() === undefined) return false;
        continue;
      }
      const above = at.at(-1);
      const path = above === undefined ? part : `${above}/${part}`;
      if (path.length > MAX_NAME_BYTES) return false;
      const node = this.#nodes.get(path);
      if (node?.kind !== 'symlink') at.push(path);
      else if (++followed > MAX_LINKS_FOLLOWED) return false;
      else ahead.push(...partsAhead(node.target));
    }
    return true;
  }

  #tooMany(): Error {
    const { maxMembers, raisedBy } = this.#limits;
    return badArchive(`the archive has too many members: more than ${maxMembers}${raisedBy === undefined ? '' : ` (${raisedBy})`}`);
  }
}

function partsOf(name: string, maxBytes: number): string[] {
  if (Buffer.byteLength(name) > Math.min(MAX_NAME_BYTES, maxBytes)) throw badArchive(`the name ${shown(name)} is too long`);
  if (name.startsWith('/')) throw badArchive(`the name ${shown(name)} is absolute`);
  if (name.includes('\0')) throw badArchive(`the name ${shown(name)} has a NUL`);
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw badArchive(`the name ${shown(name)} leaves its folder`);
  if (parts.some((part) => Buffer.byteLength(part) > MAX_PART_BYTES))
    throw badArchive(`the name ${shown(name)} has a part of more than ${MAX_PART_BYTES} bytes`);
  return parts;
}

/** The parts of a link's target, the first one last; of an absolute one that is a slash. */
function partsAhead(target: string): string[] {
  const parts = target.split('/').reverse();
  if (target.startsWith('/')) parts.push('/');
  return parts;
}

function shown(name: string): string {
  return JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}…` : name);
}
