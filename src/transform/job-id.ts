/**
 * Ids of jobs: UUIDs of version 4. Files are named by their 32 digits, clients may write them with dashes or without, in any case.
 */
import { randomUUID } from 'node:crypto';

/** The 32 lower-case digits, which names of files are made of. */
export type Hex = string;

export function newJobId(): { readonly id: string; readonly hex: Hex } {
  const id = randomUUID();
  return { id, hex: id.replaceAll('-', '') };
}

/** @returns undefined for what is no UUID in one of its two forms */
export function hexOf(text: string): Hex | undefined {
  const plain = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text) ? text.replaceAll('-', '') : text;
  return /^[0-9a-f]{32}$/i.test(plain) ? plain.toLowerCase() : undefined;
}

export function dashed(hex: Hex): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
