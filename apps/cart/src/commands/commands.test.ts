import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MergeState } from '@cloakroom/contracts';
import { EmbeddedEventLog, EventLogError } from '@cloakroom/event-log';
import { watchCrowd } from '@cloakroom/testing';
import { addItem } from './add-item.ts';
import { accepted, newCommandId, newGuest, newUser, openHarness, personContext, quantitiesOf, type Harness } from '../cart.harness.ts';
import { ViewUnavailable } from '../projection/cart.view.ts';
import { decodeSeen } from '../model/seen.ts';

let cart: Harness;
beforeEach(async () => {
  cart = await openHarness();
});
afterEach(() => cart.stop());

const added = async (subject: string, productId = 'mug', quantity = 1, more: { commandId?: string; seen?: string } = {}) =>
  accepted(await cart.add(subject, productId, quantity, more));

describe('an add', () => {
  it('is shown to a read that brings its token, and that read is not stale', async () => {
    const ada = newUser();
    const { consistencyToken, lineId } = await added(ada, 'mug', 2);
    const read = await cart.get(ada, consistencyToken);
    expect(read.stale).toBe(false);
    expect(read.behind).toBe(0n);
    expect(read.lines).toMatchObject([{ lineId, productId: 'mug', options: [], quantity: 2 }]);
    expect(read.merge).toEqual({ state: MergeState.NONE });
  });

  it('counts once when its command id is repeated', async () => {
    const ada = newUser();
    const commandId = newCommandId();
    await added(ada, 'mug', 2, { commandId });
    const { consistencyToken } = await added(ada, 'mug', 2, { commandId });
    expect(quantitiesOf(await cart.get(ada, consistencyToken))).toEqual({ mug: 2 });
  });

  it('answers command_conflict for a used id with another payload, once the view knows the first', async () => {
    const ada = newUser();
    const commandId = newCommandId();
    const { consistencyToken } = await added(ada, 'mug', 2, { commandId });
    await cart.get(ada, consistencyToken);
    expect(await cart.add(ada, 'cup', 2, { commandId })).toMatchObject({ problem: 'command_conflict' });
    expect(quantitiesOf(await cart.get(ada))).toEqual({ mug: 2 });
  });

  it('looks up no guest cart, because it kills nothing; a removal does', async () => {
    const [guest, ada] = [newGuest(), newUser()];
    const { seen, consistencyToken } = await added(guest);
    // This read waits until the cart is projected. From here on only commands look it up.
    await cart.get(guest, consistencyToken);
    const load = vi.spyOn(cart.view, 'load');
    const asked = () => load.mock.calls.filter(([, cartIds]) => cartIds.includes(guest)).length;
    accepted(await cart.add(ada, 'mug', 1, { seen: seen! }));
    expect(asked()).toBe(0);
    accepted(await cart.remove(ada, 'mug', seen!));
    expect(asked()).toBe(1);
  });

  it('tells lines of one product apart by their options, in any order of the options', async () => {
    const ada = newUser();
    const shirt = (options: { name: string; value: string }[]) =>
      addItem(cart.parts, personContext(ada), {
        commandId: newCommandId(),
        productId: 'shirt',
        options: options as never,
        quantity: 1,
        seen: '',
      }).then(accepted);
    const one = await shirt([
      { name: 'size', value: 'M' },
      { name: 'colour', value: 'red' },
    ]);
    const same = await shirt([
      { name: 'colour', value: 'red' },
      { name: 'size', value: 'M' },
    ]);
    const other = await shirt([{ name: 'size', value: 'L' }]);
    expect(same.lineId).toBe(one.lineId);
    const read = await cart.get(ada, other.consistencyToken);
    await vi.waitFor(async () => expect(quantitiesOf(await cart.get(ada))).toEqual({ [one.lineId!]: 2, [other.lineId!]: 1 }));
    expect(read.lines?.find(({ lineId }) => lineId === one.lineId)?.options).toEqual([
      { name: 'colour', value: 'red' },
      { name: 'size', value: 'M' },
    ]);
  });

  it.each([
    ['a UUIDv4', 'a3bb189e-8bf9-4888-9912-ace4e6543002', 'invalid_request'],
    ['upper case', newCommandId().toUpperCase(), 'invalid_request'],
    ['8 days old', newCommandId(Date.now() - 8 * 86_400_000), 'command_expired'],
    ['25 h ahead', newCommandId(Date.now() + 25 * 3_600_000), 'command_expired'],
  ])('refuses a command id that is %s', async (_, commandId, problem) => {
    expect(await cart.add(newUser(), 'mug', 1, { commandId })).toMatchObject({ problem });
  });

  it('accepts a command id that is 6 days old, and one that is 23 h ahead', async () => {
    const ada = newUser();
    await added(ada, 'mug', 1, { commandId: newCommandId(Date.now() - 6 * 86_400_000) });
    await added(ada, 'mug', 1, { commandId: newCommandId(Date.now() + 23 * 3_600_000) });
  });

  it.each([0, 1_000])('refuses a quantity of %i', async (quantity) => {
    expect(await cart.add(newUser(), 'mug', quantity)).toMatchObject({ problem: 'invalid_request' });
  });

  it.each(['', 'a b', 'x'.repeat(65), '../etc'])('refuses the product id "%s"', async (productId) => {
    expect(await cart.add(newUser(), productId)).toMatchObject({ problem: 'invalid_request' });
  });

  it.each(['!', 'AAAA', 'x'.repeat(30_000)])('refuses a malformed seen', async (seen) => {
    expect(await cart.add(newUser(), 'mug', 1, { seen })).toMatchObject({ problem: 'invalid_request' });
  });

  it('is accepted while the view is down', async () => {
    const ada = newUser();
    vi.spyOn(cart.view, 'load').mockRejectedValueOnce(new ViewUnavailable('away'));
    const { consistencyToken } = await added(ada, 'mug', 3);
    await vi.waitFor(async () => expect(quantitiesOf(await cart.get(ada, consistencyToken))).toEqual({ mug: 3 }));
  });

  it('answers unavailable when nothing was written, and outcome_unknown when the record may have been', async () => {
    (cart.eventLog as EmbeddedEventLog).interrupt();
    expect(await cart.add(newUser())).toMatchObject({ problem: 'unavailable', retryAfterS: 1 });
    (cart.eventLog as EmbeddedEventLog).restore();
    vi.spyOn(cart.eventLog, 'publish').mockRejectedValueOnce(new EventLogError('retriable', 'lost', { outcomeUnknown: true }));
    expect(await cart.add(newUser())).toMatchObject({ problem: 'outcome_unknown' });
  });

  it('answers outcome_unknown before the deadline passes when the log does not answer', async () => {
    vi.spyOn(cart.eventLog, 'publish').mockReturnValueOnce(new Promise(() => undefined));
    // On a clock of the test's own: a stall of the machine is no lateness of cart.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    try {
      const ctx = personContext(newUser(), { budgetMs: 200 });
      let answer: unknown;
      const request = { commandId: newCommandId(), productId: 'mug', options: [], quantity: 1, seen: '' };
      void addItem(cart.parts, ctx, request).then((told) => (answer = told));
      await vi.advanceTimersByTimeAsync(199);
      expect(answer).toMatchObject({ problem: 'outcome_unknown' });
      expect(ctx.deadline.remainingMs()).toBeGreaterThan(0);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('setting, removing and clearing', () => {
  it('a set replaces what its seen names, so a client can chain commands without a read between', async () => {
    const ada = newUser();
    const first = await added(ada, 'mug', 2);
    const second = await added(ada, 'mug', 3, { seen: first.seen! });
    const third = accepted(await cart.set(ada, 'mug', 4, second.seen!));
    expect(quantitiesOf(await cart.get(ada, third.consistencyToken))).toEqual({ mug: 4 });
    const fourth = accepted(await cart.set(ada, 'mug', 1, third.seen!));
    expect(quantitiesOf(await cart.get(ada, fourth.consistencyToken))).toEqual({ mug: 1 });
  });

  it('a set keeps an add of another device that it did not see', async () => {
    const ada = newUser();
    const phone = await added(ada, 'mug', 2);
    await added(ada, 'mug', 5);
    const { consistencyToken } = accepted(await cart.set(ada, 'mug', 1, phone.seen!));
    expect(quantitiesOf(await cart.get(ada, consistencyToken))).toEqual({ mug: 6 });
  });

  it('a set to 0 removes what was seen', async () => {
    const ada = newUser();
    const { seen } = await added(ada, 'mug', 2);
    const { consistencyToken } = accepted(await cart.set(ada, 'mug', 0, seen!));
    expect((await cart.get(ada, consistencyToken)).lines).toEqual([]);
  });

  it('a removal takes its own line alone, even with the seen of the whole cart', async () => {
    const ada = newUser();
    await added(ada, 'cup', 1);
    const { consistencyToken } = await added(ada, 'mug', 2);
    const read = await vi.waitFor(async () => {
      const now = await cart.get(ada, consistencyToken);
      expect(now.lines).toHaveLength(2);
      return now;
    });
    const gone = accepted(await cart.remove(ada, 'mug', read.seen!));
    expect(quantitiesOf(await cart.get(ada, gone.consistencyToken))).toEqual({ cup: 1 });
  });

  it('clearing removes what was seen and nothing else', async () => {
    const ada = newUser();
    const { consistencyToken } = await added(ada, 'mug', 2);
    const { seen } = await cart.get(ada, consistencyToken);
    await added(ada, 'cup', 1);
    const cleared = accepted(await cart.clear(ada, seen!));
    await vi.waitFor(async () => expect(quantitiesOf(await cart.get(ada, cleared.consistencyToken))).toEqual({ cup: 1 }));
  });

  it('a command answers unknown_line for a line that the cart never had', async () => {
    const ada = newUser();
    expect(await cart.set(ada, 'mug', 2, '')).toMatchObject({ problem: 'unknown_line' });
    expect(await cart.remove(ada, '~nonsense', '')).toMatchObject({ problem: 'unknown_line' });
  });

  it("kills nothing by another person's seen", async () => {
    const [ada, eve] = [newUser(), newUser()];
    const hers = await added(ada, 'mug', 2);
    await added(eve, 'mug', 1);
    const { consistencyToken } = accepted(await cart.clear(eve, hers.seen!));
    expect(quantitiesOf(await cart.get(eve, consistencyToken))).toEqual({ mug: 1 });
    expect(quantitiesOf(await cart.get(ada, hers.consistencyToken))).toEqual({ mug: 2 });
  });

  it('a command answers with the seen it was given and the dot just made, and at most 500 dots', async () => {
    const ada = newGuest();
    let seen = '';
    for (let n = 0; n < 3; n++) ({ seen = '' } = await added(ada, 'mug', 1, { seen }));
    expect(decodeSeen(seen)).toHaveLength(3);
  });
});

describe('a read', () => {
  it('says stale and how far behind when its token is not reached in 200 ms', async () => {
    const ada = newUser();
    const { consistencyToken } = await added(ada);
    const read = await cart.get(ada, consistencyToken);
    const [region, partition, offset] = consistencyToken!.split(':');
    const [crowd, startedMs] = [watchCrowd(), performance.now()];
    const ahead = await cart.get(ada, `${region}:${partition}:${BigInt(offset!) + 7n}`);
    expect(performance.now() - startedMs).toBeLessThan(200 + crowd.roomMs(400));
    expect(read.stale).toBe(false);
    expect(ahead).toMatchObject({ stale: true, behind: 7n });
  });

  it.each(['nonsense', 'local:999:5', 'elsewhere:1:5', 'local:1:-5', ''])('ignores the token "%s"', async (token) => {
    expect(await cart.get('u_fixed', token)).toMatchObject({ stale: false, behind: 0n });
  });

  it('says stale when the log has been silent for more than 2 s', async () => {
    const { parts } = cart;
    vi.spyOn(cart.projector(), 'heardAgoMs').mockReturnValue(2_001);
    expect(await cart.get(newUser())).toMatchObject({ stale: true });
    expect(parts.region).toBe('local');
  });

  it('answers unavailable while the view is down', async () => {
    vi.spyOn(cart.view, 'load').mockRejectedValue(new ViewUnavailable('away'));
    await expect(cart.get(newUser())).rejects.toThrow('unavailable');
  });
});
