import { beforeEach, describe, expect, it } from 'vitest';
import { openShop, countingRandom, type Shop } from '../orders.harness.ts';
import type { Outcome } from './payment-provider.ts';
import { openSimulatedProvider, type SimulatedProvider } from './payment-provider.simulated.ts';

let shop: Shop;
let provider: SimulatedProvider;
let told: (readonly [string, Outcome])[];
beforeEach(async () => {
  shop = await openShop();
  told = [];
  provider = openAgain();
});

function openAgain(): SimulatedProvider {
  const opened = openSimulatedProvider({ db: shop.db as never, random: countingRandom() });
  opened.onCallback((key, outcome) => Promise.resolve(void told.push([key, outcome])));
  return opened;
}
const charge = (method: string, key = 'k') => provider.charge({ key, amount: 100, currency: 'EUR', method }, AbortSignal.timeout(1));
const captured = { status: 'captured', chargeId: expect.stringMatching(/^ch_/) as string };
const declined = { status: 'declined' };
/** Delivers rounds until the provider has nothing left to tell. */
async function deliverAll(): Promise<void> {
  for (let round = 0; round < 10; round += 1) await provider.deliver();
}

describe.each([
  ['card_pays', captured, captured, 1],
  ['card_declined', declined, declined, 1],
  ['card_times_out_charged', { status: 'unknown' }, captured, 1],
  ['card_times_out_uncharged', { status: 'unknown' }, declined, 1],
  ['card_double_callback', captured, captured, 3],
  ['a card that it does not know', declined, declined, 0],
])('%s', (method, answer, outcome, callbackCount) => {
  it('answers, knows by the key and calls back as it says, also after a restart', async () => {
    expect(await charge(method)).toEqual(answer);
    provider = openAgain();
    await deliverAll();
    expect(await provider.find('k')).toEqual(outcome);
    expect(await charge(method)).toEqual(outcome);
    expect(told).toEqual(Array.from({ length: callbackCount }, () => ['k', outcome]));
  });

  it('is found by asking alone, without any callback', async () => {
    await charge(method);
    const answers: string[] = [];
    for (let asked = 0; asked < 10 && answers.at(-1) !== outcome.status; asked += 1) answers.push((await provider.find('k')).status);
    expect(answers.at(-1)).toBe(outcome.status);
    expect(new Set(answers.slice(0, -1))).toEqual(new Set(answer.status === 'unknown' ? ['unknown'] : []));
  });

  it('is never captured once its key was closed, and told as it is when it was captured before', async () => {
    expect(await provider.close('closed')).toEqual(declined);
    expect(await charge(method, 'closed')).toEqual(declined);
    await charge(method);
    expect(await provider.close('k')).toEqual(outcome);
    const rows = await shop.db.selectFrom('provider_charges').selectAll().where('outcome', '=', 'captured').execute();
    expect(rows.map(({ charge_key: key }) => key)).toEqual(outcome === captured ? ['k'] : []);
  });
});

it('charges a key once, whoever asks at once', async () => {
  const answers = await Promise.all(Array.from({ length: 5 }, () => charge('card_pays')));
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
});

it('calls back before it answers, too', async () => {
  let toldFirst = 0;
  const answer = await charge('card_double_callback').then((given) => ((toldFirst = told.length), given));
  expect([answer, toldFirst]).toEqual([captured, 1]);
});

it('delivers a callback again that the shop could not take', async () => {
  await charge('card_pays');
  provider.onCallback(() => Promise.reject(new Error('the shop is away')));
  await expect(provider.deliver()).rejects.toThrow('away');
  provider = openAgain();
  await deliverAll();
  expect(told).toEqual([['k', captured]]);
});

it('knows nothing of a key that it was never asked for', async () => {
  expect(await provider.find('k')).toEqual({ status: 'none' });
});
