/** The two regions of a stack, and the ocean between them. The first gateway is eu's, the second is us'. */
import { oceanControlOf, oceanKey } from '@cloakroom/infra';
import { type Answer, type Device, expect, newPersonOf, type Person } from './device.ts';
import { dataDir, gateways, portBase } from './stack.ts';

export async function ocean(command: object): Promise<void> {
  const headers = { authorization: `Bearer ${oceanKey(dataDir)}` };
  const told = await fetch(`http://127.0.0.1:${oceanControlOf(portBase)}/`, { method: 'POST', headers, body: JSON.stringify(command) });
  expect(told.status, await told.text()).toBe(200);
}

export const decisionOf = ({ headers }: Answer) => /session;dur=[\d.]+;desc="([^"]+)"/.exec(headers['server-timing'] ?? '')?.[1];

/** A connection that was tried in a cut is given 20 s by gRPC, and the circuit of its calls opens again after some more. */
const answeredWithinMs = 90_000;

/** A busy machine may miss the time that home has for an answer, and says so. Then a person tries again, as often as it changes nothing. */
export const untilAnswered = (status: number, call: () => Promise<Answer>) =>
  expect.poll(() => call().then((told) => told.status), { intervals: [200], timeout: answeredWithinMs }).toBe(status);

/**
 * Makes an account at this gateway, with an address that its region decides, so that it needs no ocean. A sign-up that was not answered may have made
 * one, so each try is another person.
 */
export async function registerAt(device: Device, gateway: string): Promise<Person> {
  const draw = () => newPersonOf(gateway === gateways[0] ? 'eu' : 'us');
  let person = draw();
  await untilAnswered(201, () => device.call('POST', '/api/session/register', (person = draw()), { gateway }));
  return person;
}

/** In a cut. A busy machine may refuse in other words at first. An answer that is no refusal is a failure, also if a later one is. */
export async function untilUnreachable(call: () => Promise<Pick<Answer, 'status' | 'body'>>): Promise<void> {
  const served: string[] = [];
  const code = async (): Promise<unknown> => {
    const { status, body } = await call();
    if (status < 500) served.push(`${status} ${JSON.stringify(body)}`);
    return status < 500 ? 'home_region_unreachable' : body.code;
  };
  await expect.poll(code, { intervals: [200] }).toBe('home_region_unreachable');
  expect(served).toEqual([]);
}
