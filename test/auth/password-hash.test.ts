/** Passwords as scrypt hashes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashPassword, parsePasswordHash, verifyPassword, type PasswordHash } from '../../src/auth/password-hash.ts';

function parsed(text: string): PasswordHash {
  const hash = parsePasswordHash(text);
  assert.ok(hash, text);
  return hash;
}

test('a hash is that of its password and of no other, and never twice the same', async () => {
  const [one, two] = [await hashPassword('pässword'), await hashPassword('pässword')];
  assert.match(one, /^\$scrypt\$ln=15,r=8,p=3\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  assert.notEqual(one, two);
  assert.equal(await verifyPassword('pässword', parsed(one)), true);
  assert.equal(await verifyPassword('pa\u0308ssword', parsed(one)), true, 'typed in two characters');
  assert.equal(await verifyPassword('password', parsed(one)), false);
  assert.equal(await verifyPassword('', parsed(one)), false);
});

test("the standard's own example is understood", async () => {
  // RFC 7914 §12, third vector: "pleaseletmein", "SodiumChloride", N = 16384, r = 8, p = 1.
  const key =
    '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887';
  const base64 = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');
  const hash = parsed(`$scrypt$ln=14,r=8,p=1$${base64(Buffer.from('SodiumChloride'))}$${base64(Buffer.from(key, 'hex'))}`);
  assert.equal(await verifyPassword('pleaseletmein', hash), true);
  assert.equal(await verifyPassword('pleaseletmeout', hash), false);
});

test('what is no hash, or costs too much or too little, is not taken for one', () => {
  const salt = 'A'.repeat(22);
  const hash = 'B'.repeat(43);
  parsed(`$scrypt$ln=17,r=8,p=1$${salt}$${hash}`);
  for (const text of [
    '',
    'secret',
    '$2b$12$abcdefghijklmnopqrstuv',
    `$scrypt$ln=18,r=9,p=1$${salt}$${hash}`,
    `$scrypt$ln=99,r=8,p=1$${salt}$${hash}`,
    `$scrypt$ln=9,r=8,p=1$${salt}$${hash}`,
    `$scrypt$ln=14,r=0,p=1$${salt}$${hash}`,
    `$scrypt$ln=14,r=8,p=0$${salt}$${hash}`,
    `$scrypt$ln=14,r=8,p=17$${salt}$${hash}`,
    `$scrypt$ln=14,r=8,p=1$${salt}$`,
    `$scrypt$ln=14,r=8,p=1$$${hash}`,
    `$scrypt$ln=14,r=8,p=1$${salt}$${hash}=`,
    `$scrypt$ln=14,r=8,p=1$${salt}$${hash} `,
  ]) {
    assert.equal(parsePasswordHash(text), undefined, text);
  }
});
