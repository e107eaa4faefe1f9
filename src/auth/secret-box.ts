/**
 * Secrets that have to be read again, encrypted under a key that stands in a file of its own (mode 0600).
 *
 * Who has the one file without the other learns nothing; a secret cannot be moved to another name.
 * Source: NIST SP 800-38D (AES-GCM).
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { createFile } from '../util/private-files.ts';
import { codeOf } from '../util/thrown.ts';

/** The key cannot be used. One line, without anything of it. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
  readonly code = 'AUTH_KEY_FILE';
}

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export class SecretBox {
  readonly #key: Buffer;
  readonly #file: string;

  private constructor(key: Buffer, file: string) {
    this.#key = key;
    this.#file = file;
  }

  /** @param make a new key, where there is none. @throws KeyFileError, or the system's error */
  static async open(file: string, make: boolean): Promise<SecretBox> {
    if (make) await createFile(file, `${randomBytes(KEY_BYTES).toString('base64')}\n`);
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
      throw new KeyFileError(`${file}: expected the key that secrets are encrypted under; without it make accesses anew`, { cause: error });
    }
    const { mode } = await stat(file);
    if (process.platform !== 'win32' && (mode & 0o077) !== 0)
      throw new KeyFileError(`${file}: expected a key that only its owner may read (run chmod 600)`);
    const key = Buffer.from(text, 'base64');
    if (key.length !== KEY_BYTES) throw new KeyFileError(`${file}: expected a key of ${KEY_BYTES} bytes in Base64`);
    return new SecretBox(key, file);
  }

  /** @param name whose secret it is */
  seal(name: string, secret: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.#key, nonce).setAAD(Buffer.from(name));
    const sealed = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64');
  }

  /** @throws KeyFileError for what was sealed under another key or name */
  open(name: string, sealed: string): string {
    const bytes = Buffer.from(sealed, 'base64');
    try {
      const decipher = createDecipheriv(CIPHER, this.#key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES }).setAAD(
        Buffer.from(name),
      );
      decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
      return decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
    } catch (error) {
      throw new KeyFileError(`${this.#file}: the secret of ${name} was not encrypted under this key`, { cause: error });
    }
  }
}
