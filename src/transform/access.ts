/**
 * Who may send a job and fetch it: `Authorization: APPLICATION SIGNATURE`, the signature over the body or the id.
 *
 * Source: spec/circe.md §3.4; RFC 2104 (HMAC).
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Applications } from '../auth/applications.ts';
import { Refusal } from './errors.ts';
import { hexOf } from './job-id.ts';

/** A signature that is being checked, while what it signs goes by. */
export interface SignatureCheck {
  update(bytes: Buffer | string): void;
  /** @returns the application, undefined where nobody has to sign. @throws Refusal */
  end(): string | undefined;
}

export interface Access {
  /** @param authorization as it came. @throws Refusal for a header that is none */
  check(authorization: string | null): Promise<SignatureCheck>;
}

export const openAccess: Access = {
  check: () => Promise.resolve({ update: () => undefined, end: () => undefined }),
};

export function signedAccess(applications: Applications): Access {
  // For applications that nobody knows: as much work as for others.
  const nobody = randomBytes(32);
  return {
    async check(authorization) {
      if (authorization === null) throw new Refusal(403, 'Missing Authorization header');
      const parts = authorization.split(' ');
      const [uuid = '', signature = ''] = parts;
      if (parts.length !== 2) throw new Refusal(403, 'Authorization malformed');
      const hex = hexOf(uuid);
      const application = (await applications.list()).find((each) => each.uuid === hex);
      const hmac = createHmac('sha256', application?.secret ?? nobody);
      return {
        update: (bytes) => void hmac.update(bytes),
        end() {
          const right = matches(hmac, signature);
          if (application === undefined) throw new Refusal(403, 'Access denied');
          if (!right) throw new Refusal(403, 'Access Denied');
          return application.uuid;
        },
      };
    },
  };
}

/** In a time that does not depend on where they differ. */
function matches(hmac: ReturnType<typeof createHmac>, signature: string): boolean {
  const expected = hmac.digest();
  const given = /^[0-9a-f]{64}$/i.test(signature) ? Buffer.from(signature, 'hex') : Buffer.alloc(0);
  return (
    timingSafeEqual(given.length === expected.length ? given : randomBytes(expected.length), expected) && given.length === expected.length
  );
}
