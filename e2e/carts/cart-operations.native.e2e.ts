/** An operator looks at a cart's history, puts dead letters back and replays the view, while the person goes on shopping. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { uuidV7 } from '@cloakroom/contracts';
import type { Cart } from '@cloakroom/contracts/http';
import { plain, posted, sessionCookieOf } from '../kit/raw.ts';
import { signedIn } from '../kit/person.ts';
import { expect, test } from '../kit/device.ts';
import { gateways, portBase } from '../kit/stack.ts';

/** A cart has 500 changes at most. */
const paceMs = 60;

const run = promisify(execFile);
const operate = async (...args: string[]): Promise<string> => {
  const { stdout } = await run(process.execPath, [
    join(import.meta.dirname, '../../infra/cli.ts'),
    'cart',
    ...args,
    '--port-base',
    String(portBase),
  ]);
  return stdout;
};

test('an operator sees a cart event by event, and a replay takes back nothing that a person reads', async ({ products }) => {
  const { token } = await signedIn();
  // This pace and this source address leave the other tests their share of the gateway's limit.
  const from = '127.7.0.1';
  const cookie = { cookie: sessionCookieOf(token) };
  const read = async (gateway = gateways[0]) => JSON.parse((await plain('/api/cart', { gateway, headers: cookie, from })).body) as Cart;
  const add = async () => {
    const commandId = uuidV7(Date.now(), randomBytes(10));
    const answer = await posted('/api/cart/lines', { productId: products[0], quantity: 1, commandId }, { headers: cookie });
    expect(answer.status, answer.body).toBe(202);
  };
  /** Undefined where the view of a busy machine did not answer in time. Such a read showed nothing, so it proves nothing. */
  const quantity = async (gateway?: string): Promise<number | undefined> => {
    const { lines } = await read(gateway);
    return lines === undefined ? undefined : (lines[0]?.quantity ?? 0);
  };
  for (let n = 0; n < 3; n++) await add();
  await expect.poll(() => quantity()).toBe(3);

  let going = true;
  let added = 3;
  let shown = 0;
  const wentBack: string[] = [];
  const shopping = (async () => {
    for (let known = 3; going;) {
      await add();
      await delay(paceMs); // not a wait: the pace of a person
      added += 1;
      const now = await quantity(gateways[added % 2]);
      if (now === undefined) continue;
      shown += 1;
      if (now < known) wentBack.push(`${now} after ${known}`);
      known = Math.max(known, now);
    }
  })();
  const replayed = await operate('replay').finally(() => (going = false));
  await shopping;
  expect(replayed).toMatch(/^\d+ records replayed into v\d+ in [\d.]+ s\. The old view is dropped\.$/m);
  expect(wentBack).toEqual([]);
  expect(shown, 'reads that showed a cart').toBeGreaterThan(5);
  await expect.poll(() => quantity(gateways[1])).toBe(added);
  expect(await operate('redrive', '--dry-run')).toContain('would be put back');

  const history = (await operate('history', (await read()).cartId)).trim().split('\n');
  expect(history).toHaveLength(added + 1);
  // Each addition has the options that were chosen for it.
  expect(history.at(-1)).toMatch(new RegExp(`add 1 ${products[0]}\\b.* as \\S+ +${products[0]}\\b.* ${added}$`));
});
