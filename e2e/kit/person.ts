/** A signed-in person, and the person's token as a thief would hold it. */
import type { Problem } from '@cloakroom/contracts/http';
import { expect, newPerson, type Device, type Person } from './device.ts';
import { gateways } from './stack.ts';
import { plain, posted, sessionCookieOf, tokenIn } from './raw.ts';
import { untilHeard } from './until-heard.ts';

export interface SignedIn extends Person {
  readonly token: string;
}

/** Registers with plain requests, from any address of this machine. Limits by address must not let one attack spoil another. */
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

/** The answer of every gateway to this token, on a route that needs a session. */
export async function everywhere(token: string, path = '/api/cart'): Promise<string[]> {
  return Promise.all(
    gateways.map(async (gateway) => {
      const answer = await plain(path, { gateway, headers: { cookie: sessionCookieOf(token) } });
      return answer.status === 200 ? 'lives' : (JSON.parse(answer.body) as Problem).code;
    }),
  );
}

/** Both gateways refuse the token within the bound of revocation. */
export async function expectDead(token: string, why: string): Promise<void> {
  await untilHeard(() => everywhere(token), ['session_ended', 'session_ended'], why);
}
