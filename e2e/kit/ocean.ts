/** The two regions of a stack, and the ocean between them. The first gateway is eu's, the second is us'. */
import { oceanControlOf, oceanKey } from '@cloakroom/infra';
import { type Answer, expect } from './device.ts';
import { dataDir, portBase } from './stack.ts';

export async function ocean(command: object): Promise<void> {
  const headers = { authorization: `Bearer ${oceanKey(dataDir)}` };
  const told = await fetch(`http://127.0.0.1:${oceanControlOf(portBase)}/`, { method: 'POST', headers, body: JSON.stringify(command) });
  expect(told.status, await told.text()).toBe(200);
}

export const decisionOf = ({ headers }: Answer) => /session;dur=[\d.]+;desc="([^"]+)"/.exec(headers['server-timing'] ?? '')?.[1];

/** A busy machine may miss the time that home has for an answer, and says so. Then a person tries again, as often as it changes nothing. */
export const untilAnswered = (status: number, call: () => Promise<Answer>) =>
  expect.poll(() => call().then((told) => told.status), { intervals: [200] }).toBe(status);
