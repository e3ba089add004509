/** Somebody who is signed in, and their token as a thief would hold it. */
import type { Problem } from '@cloakroom/contracts/http';
import { expect, newPerson, type Device, type Person } from './device.ts';
import { gateways } from './stack.ts';
import { plain, posted, sessionCookieOf, tokenIn } from './raw.ts';

export interface SignedIn extends Person {
  readonly token: string;
}

/** Registered by hand, from any address of this machine: bounds by address must not make one attack pay for another. */
export async function signedIn(from?: string): Promise<SignedIn> {
  const person = newPerson();
  const answer = await posted('/api/session/register', person, from === undefined ? {} : { from });
  expect(answer.status, answer.body).toBe(201);
  return { ...person, token: tokenIn(answer)! };
}

export async function tokenOf(device: Device): Promise<string> {
  const found = (await device.cookies()).find(({ name }) => name === '__Host-session');
  if (found === undefined) throw new Error('this device has no session');
  return found.value;
}

/** What every gateway says to whoever shows this token where a session is needed. */
export async function everywhere(token: string, path = '/api/cart'): Promise<string[]> {
  return Promise.all(
    gateways.map(async (gateway) => {
      const answer = await plain(path, { gateway, headers: { cookie: sessionCookieOf(token) } });
      return answer.status === 200 ? 'lives' : (JSON.parse(answer.body) as Problem).code;
    }),
  );
}

/** Within the bound of revocation both gateways refuse it. */
export async function expectDead(token: string, why: string): Promise<void> {
  await expect.poll(() => everywhere(token), { timeout: 2_500, intervals: [20], message: why }).toEqual(['session_ended', 'session_ended']);
}
