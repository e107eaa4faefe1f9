/** Memory of large buffers, given back when they are let go of, and not when the collector comes by. */

/** `ArrayBuffer.prototype.transfer`, since Node 21. */
type Transferable = ArrayBufferLike & { readonly transfer?: (bytes: number) => ArrayBuffer };

/**
 * Free the memory of a buffer, where this Node can; elsewhere the collector does it later.
 *
 * @param buffer neither it nor anything that shares its memory is used any more: all of them are empty now. Small ones, which may share
 *   theirs with anybody (`Buffer.poolSize`), stay
 */
export function freeBuffer(buffer: Buffer): void {
  const memory: Transferable = buffer.buffer;
  if (memory.byteLength > Buffer.poolSize) memory.transfer?.(0);
}
