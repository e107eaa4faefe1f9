/**
 * A place that holds authorities: whether ours is in it, and the commands that put it there and take it away again.
 *
 * What is done stands in the commands alone, so that it can be shown before it is done. Names are made of the certificate's fingerprint, so
 * that exactly what was put there is found again, and nothing else is touched.
 */

/** The program and its arguments. */
export type Command = readonly string[];

export interface TrustStore {
  /** for people: `system store (Debian)` */
  readonly name: string;
  readonly kind: StoreKind;
  /** @param pem file of the certificate */
  add(pem: string): readonly Command[];
  remove(): readonly Command[];
  /** Whether the certificate is there by the name that it has from us. */
  has(): Promise<boolean>;
}

export const STORE_KINDS = ['system', 'nss', 'java'] as const;
export type StoreKind = (typeof STORE_KINDS)[number];

export interface Certificate {
  readonly pem: string;
  /** upper-case hexadecimal, without colons */
  readonly sha1: string;
  readonly sha256: string;
}

/** What is looked at, and run, to find the stores of a machine. */
export interface Machine {
  readonly platform: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** of the user */
  readonly home: string;
  readonly isRoot: boolean;
  /** of the system store: `/`, or the root folder of an image */
  readonly root: string;
  exists(path: string): Promise<boolean>;
  /** names in a folder; none where there is no folder */
  list(folder: string): Promise<readonly string[]>;
  /** path of a program on PATH */
  which(program: string): Promise<string | undefined>;
  /** without links */
  realPath(path: string): Promise<string>;
  isWritable(path: string): Promise<boolean>;
  /** Asks without changing anything. @returns whether it ended with 0, and what it said */
  ask(command: Command): Promise<{ readonly ok: boolean; readonly stdout: string }>;
}

/** By which it is found again: `warctap-1A2B3C4D5E6F7081`. */
export function nameOf({ sha256 }: Certificate): string {
  return `warctap-${sha256.slice(0, 16)}`;
}

/** As root, where this user is not. */
export function asRoot({ isRoot, platform }: Machine, command: Command): Command {
  return isRoot || platform === 'win32' ? command : ['sudo', ...command];
}
