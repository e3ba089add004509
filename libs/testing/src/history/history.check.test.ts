import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkHistory, unsettled } from './history.check.ts';
import { explain } from './history.explain.ts';
import { Handmade } from './history.fixture.ts';
import { repeatsOf, untriedRepeats } from './history.repeats.ts';
import { openRecorder, readHistory, writeHistory, type Operation } from './history.ts';

const at = (token: string, tokenCart = 'user:p1') => ({ token, tokenCart });
const guest = { session: 'd1#0', cart: 'guest:d1#0' };
const claim = { session: 'd1#1', cart: 'user:p1', guest: 'd1#0', guestCart: 'guest:d1#0' };
const pair = (h: Handmade): void => {
  h.add('d1.1', 2);
  h.add('d2.1', 1, { client: 'd2' });
};

const merged = { output: { merge: 'merged' } };
const blind = { output: { dots: undefined, merge: 'merged' } };
const second = { client: 'd9', person: 'p2', input: { session: 'd9#1', cart: 'user:p2' } };
/** A guest adds a product and gets no answer, signs in, and sends the same command again as the user. */
function again(h: Handmade, outcome: Operation['outcome'] = 'ok'): void {
  h.add('d1.1', 2, { input: guest, outcome: 'unknown' });
  h.do('login', { input: claim });
  h.add('d1.1', 2, { input: { attempt: 2 }, outcome });
}
function removedThenAgain(h: Handmade): void {
  h.add('d1.1', 2, { input: guest, outcome: 'unknown' });
  h.remove('d1.2', ['d1.1'], { input: guest });
  h.do('login', { input: claim });
  h.add('d1.1', 2, { input: { attempt: 2 } });
}
function copied(h: Handmade): void {
  h.add('d1.1', 2);
  h.add('d1.1', 2, second);
}
/** For each kind of anomaly: a history that has it, and the nearest history that is right. */
const twins: readonly [kind: string, what: string, bad: (h: Handmade) => void, good: (h: Handmade) => void][] = [
  ['lost', 'an acknowledged add', (h) => (pair(h), h.end(2, ['d1.1'])), (h) => (pair(h), h.end(3, ['d1.1', 'd2.1']))],
  [
    'lost',
    'an add that a removal had not seen',
    (h) => (pair(h), h.remove('d1.2', ['d1.1']), h.end(0, [])),
    (h) => (pair(h), h.remove('d1.2', ['d1.1', 'd2.1']), h.end(0, [])),
  ],
  [
    'lost',
    'an add that only a set without an answer could have replaced, where that set did not happen',
    (h) => (pair(h), h.set('d1.2', 9, ['d1.1', 'd2.1'], { outcome: 'unknown' }), h.end(2, ['d1.1'])),
    (h) => (pair(h), h.set('d1.2', 9, ['d1.1', 'd2.1'], { outcome: 'unknown' }), h.end(9, ['d1.2'])),
  ],
  [
    'lost',
    'a line that a guest had',
    (h) => (h.add('d1.1', 2, { input: guest }), h.do('login', { input: claim }), h.end(0, [], { output: { merge: 'merged' } })),
    (h) => (h.add('d1.1', 2, { input: guest }), h.do('login', { input: claim }), h.end(2, ['d1.1'], { output: { merge: 'merged' } })),
  ],
  [
    'lost',
    'a quantity that the named dots add up to',
    (h) => (pair(h), h.end(2, ['d1.1', 'd2.1'])),
    (h) => (pair(h), h.end(3, ['d1.1', 'd2.1'])),
  ],
  [
    'doubled',
    'an add that a guest sent again after the sign-in',
    (h) => (again(h), h.end(4, ['d1.1', 'd1.1'], merged)),
    (h) => (again(h), h.end(2, ['d1.1'], merged)),
  ],
  [
    'doubled',
    'the same add, in a cart that does not name its dots',
    (h) => (again(h), h.end(4, [], blind)),
    (h) => (again(h), h.end(2, [], blind)),
  ],
  [
    'lost',
    'an add that got no answer as a guest, and was accepted from the user',
    (h) => (again(h), h.end(0, [], merged)),
    (h) => (again(h, 'unknown'), h.end(0, [], merged)),
  ],
  [
    'resurrected',
    'an add that the guest had removed, and whose repetition came later',
    (h) => (removedThenAgain(h), h.end(2, ['d1.1'], merged)),
    (h) => (removedThenAgain(h), h.end(0, [], merged)),
  ],
  [
    'lost',
    'a command of the same id that another person gave',
    (h) => (copied(h), h.end(2, ['d1.1']), h.end(0, [], second)),
    (h) => (copied(h), h.end(2, ['d1.1']), h.end(2, ['d1.1'], second)),
  ],
  [
    'resurrected',
    'a command whose id another person gave too, and who removed it',
    (h) => (copied(h), h.remove('d2.1', ['d1.1'], second), h.end(2, ['d1.1']), h.end(2, ['d1.1'], second)),
    (h) => (copied(h), h.remove('d2.1', ['d1.1'], second), h.end(2, ['d1.1']), h.end(0, [], second)),
  ],
  [
    'foreign',
    'a command that another person never gave',
    (h) => (h.add('d1.1', 2), h.end(2, ['d1.1']), h.end(2, ['d1.1'], second)),
    (h) => (h.add('d1.1', 2), h.end(2, ['d1.1']), h.end(0, [], second)),
  ],
  [
    'resurrected',
    'a removed line',
    (h) => (pair(h), h.remove('d1.2', ['d1.1']), h.end(3, ['d1.1', 'd2.1'])),
    (h) => (pair(h), h.remove('d1.2', ['d1.1']), h.end(1, ['d2.1'])),
  ],
  [
    'resurrected',
    'a line that a device had seen gone for a moment',
    (h) => (pair(h), h.remove('d1.2', ['d1.1'], { outcome: 'unknown' }), backAndForth(h), h.end(1, ['d2.1'])),
    (h) => (
      pair(h),
      h.remove('d1.2', ['d1.1'], { outcome: 'unknown' }),
      h.read(3, ['d1.1', 'd2.1'], { input: at('l:1:1') }),
      h.end(1, ['d2.1'])
    ),
  ],
  ['doubled', 'a line that counts twice', (h) => (pair(h), h.end(5, ['d1.1', 'd2.1'])), (h) => (pair(h), h.end(3, ['d1.1', 'd2.1']))],
  [
    'doubled',
    'a dot that no client made',
    (h) => (pair(h), h.end(5, ['d1.1', 'd2.1', '01890000-0000-7000-8000-000000000000'])),
    (h) => (pair(h), h.add('d1.2', 2), h.end(5, ['d1.1', 'd2.1', 'd1.2'])),
  ],
  [
    'refused-but-happened',
    'a refused add',
    (h) => (h.add('d1.1', 1, { outcome: 'failed' }), h.end(1, ['d1.1'])),
    (h) => (h.add('d1.1', 1, { outcome: 'unknown' }), h.end(1, ['d1.1'])),
  ],
  [
    'foreign',
    'a line of another person',
    (h) => (h.add('d9.1', 1, { client: 'd9', person: 'p9', input: { cart: 'user:p9' } }), h.end(1, ['d9.1'])),
    (h) => (
      h.add('d9.1', 1, { client: 'd9', person: 'p9', input: { cart: 'user:p9' } }),
      h.end(1, ['d9.1'], { input: { cart: 'user:p9' } })
    ),
  ],
  [
    'foreign',
    'a cart id of another person',
    (h) => (h.end(0, []), h.end(0, [], { client: 'd9', person: 'p9', input: { cart: 'user:p9' }, output: { cartId: 'id of user:p1' } })),
    (h) => (h.end(0, []), h.end(0, [], { client: 'd9', person: 'p9', input: { cart: 'user:p9' } })),
  ],
  [
    'stale-unmarked',
    'an add whose position the read brought',
    (h) => (h.add('d1.1', 1, { output: { token: 'l:1:5' } }), h.read(0, [], { input: at('l:1:5') }), h.end(1, ['d1.1'])),
    (h) => (
      h.add('d1.1', 1, { output: { token: 'l:1:5' } }),
      h.read(0, [], { input: at('l:1:5'), output: { stale: true } }),
      h.end(1, ['d1.1'])
    ),
  ],
  [
    'stale-unmarked',
    'a removal whose position the read brought',
    (h) => (
      h.add('d1.1'),
      h.remove('d1.2', ['d1.1'], { output: { token: 'l:1:5' } }),
      h.read(1, ['d1.1'], { input: at('l:1:7') }),
      h.end(0, [])
    ),
    (h) => (
      h.add('d1.1'),
      h.remove('d1.2', ['d1.1'], { output: { token: 'l:1:5' } }),
      h.read(1, ['d1.1'], { input: at('l:1:4') }),
      h.end(0, [])
    ),
  ],
  [
    'went-back',
    'a line that the device has seen',
    (h) => (
      pair(h),
      h.read(3, ['d1.1', 'd2.1'], { input: at('l:1:1') }),
      h.read(1, ['d2.1'], { input: at('l:1:1') }),
      h.end(3, ['d1.1', 'd2.1'])
    ),
    (h) => (
      pair(h),
      h.read(1, ['d2.1'], { input: at('l:1:1') }),
      h.read(3, ['d1.1', 'd2.1'], { input: at('l:1:1') }),
      h.end(3, ['d1.1', 'd2.1'])
    ),
  ],
  [
    'late',
    'an add after ten seconds',
    (h) => (h.add('d1.1'), h.read(0, [], { afterMs: 10_000 }), h.end(1, ['d1.1'])),
    (h) => (h.fault('kafka', 0, 9_000), h.add('d1.1'), h.read(0, [], { afterMs: 10_000 }), h.end(1, ['d1.1'])),
  ],
  [
    'diverged',
    'two devices',
    (h) => (h.add('d1.1'), h.remove('d1.2', ['d1.1'], { outcome: 'unknown' }), h.end(0, []), h.end(1, ['d1.1'], { client: 'd2' })),
    (h) => (h.add('d1.1'), h.remove('d1.2', ['d1.1'], { outcome: 'unknown' }), h.end(0, []), h.end(0, [], { client: 'd2' })),
  ],
  ['not-converged', 'a stale end', (h) => h.end(0, [], { output: { stale: true } }), (h) => h.end(0, [])],
  [
    'not-converged',
    'a merge that never ends',
    (h) => (h.do('login', { input: claim }), h.end(0, [], { output: { merge: 'pending' } })),
    (h) => (h.do('login', { input: claim }), h.end(0, [], { output: { merge: 'merged' } })),
  ],
  ['not-converged', 'a gateway that stays silent', (h) => h.end(0, [], { outcome: 'unknown' }), (h) => h.end(0, [])],
  [
    'ordered-twice',
    'a dot in two orders',
    (h) => (h.add('d1.1', 2), h.checkout('k1', ['d1.1'], 2), h.checkout('k2', ['d1.1'], 2), h.end(0, [])),
    (h) => (h.add('d1.1', 2), h.checkout('k1', ['d1.1'], 2), h.checkout('k1', ['d1.1'], 2), h.end(0, [])),
  ],
  [
    'two-orders',
    'one key',
    (h) => (h.add('d1.1', 2), h.checkout('k1', ['d1.1'], 2), h.checkout('k1', ['d1.1'], 2, { output: { orderId: 'x' } }), h.end(0, [])),
    (h) => (h.add('d1.1', 2), h.checkout('k1', ['d1.1'], 2, { outcome: 'unknown' }), h.checkout('k1', ['d1.1'], 2), h.end(0, [])),
  ],
  [
    'two-orders',
    'a list with an order that was never asked for',
    (h) => (h.add('d1.1', 2), h.checkout('k1', ['d1.1'], 2), listed(h, 'order of k1', 'x'), h.end(0, [])),
    (h) => (h.add('d1.1', 2), h.checkout('k1', ['d1.1'], 2, { outcome: 'unknown' }), listed(h, 'x'), h.end(0, [])),
  ],
  [
    'two-orders',
    'a pending order after every check-out was refused',
    (h) => (pair(h), h.checkout('k1', ['d1.1'], 2, { outcome: 'failed' }), listedAs('pending', h, 'x'), h.end(3, ['d1.1', 'd2.1'])),
    // This was seen while the card was being declined.
    (h) => (
      pair(h),
      listedAs('pending', h, 'x'),
      h.checkout('k1', ['d1.1'], 2, { outcome: 'failed', afterMs: -5 }),
      h.end(3, ['d1.1', 'd2.1'])
    ),
  ],
  [
    'two-orders',
    'an order that was never asked for, pending and then placed',
    (h) => (listedAs('pending', h, 'x'), listedAs('placed', h, 'x')),
    (h) => (listedAs('pending', h, 'x'), listedAs('cancelled', h, 'x')),
  ],
  [
    'lost',
    'an order that an answer named and no list shows',
    (h) => (pair(h), h.checkout('k1', ['d1.1'], 2), listedAs('placed', h), h.end(1, ['d2.1'])),
    (h) => (pair(h), h.checkout('k1', ['d1.1'], 2), listedAs('placed', h, 'order of k1'), h.end(1, ['d2.1'])),
  ],
  [
    'not-converged',
    'an order that never ends',
    (h) => (pair(h), h.checkout('k1', ['d1.1'], 2, pending), listedAs('pending', h, 'order of k1'), h.end(3, ['d1.1', 'd2.1'])),
    (h) => (pair(h), h.checkout('k1', ['d1.1'], 2, pending), listedAs('cancelled', h, 'order of k1'), h.end(3, ['d1.1', 'd2.1'])),
  ],
  [
    'charged-wrong',
    'a charge of an order that was cancelled',
    (h) => (pair(h), h.checkout('k1', ['d1.1'], 2, cancelled('PaymentCaptured')), h.end(3, ['d1.1', 'd2.1'])),
    (h) => (pair(h), h.checkout('k1', ['d1.1'], 2, cancelled('PaymentDeclined')), h.end(3, ['d1.1', 'd2.1'])),
  ],
  [
    'charged-wrong',
    'an order that was placed and never charged',
    (h) => (pair(h), h.checkout('k1', ['d1.1'], 2, { output: { steps: ['StockReserved', 'OrderConfirmed'] } }), h.end(1, ['d2.1'])),
    (h) => (pair(h), h.checkout('k1', ['d1.1'], 2, { output: { steps: ['PaymentCaptured', 'OrderConfirmed'] } }), h.end(1, ['d2.1'])),
  ],
  [
    'order-inexact',
    'an order of more than was seen',
    (h) => (pair(h), h.checkout('k1', ['d1.1'], 3), h.end(1, ['d2.1'])),
    (h) => (pair(h), h.checkout('k1', ['d1.1'], 2), h.end(1, ['d2.1'])),
  ],
  [
    'ordered-stays',
    'a line that was ordered',
    (h) => (pair(h), h.checkout('k1', ['d1.1'], 2), h.end(3, ['d1.1', 'd2.1'])),
    (h) => (pair(h), h.checkout('k1', ['d1.1'], 2, { outcome: 'failed' }), h.end(3, ['d1.1', 'd2.1'])),
  ],
  [
    'lost',
    'a line that an order had not seen',
    (h) => (pair(h), h.checkout('k1', ['d1.1'], 2), h.end(0, [])),
    (h) => (pair(h), h.checkout('k1', ['d1.1', 'd2.1'], 3), h.end(0, [])),
  ],
  [
    'charged-wrong',
    'a total other than the agreed one',
    (h) => (pair(h), h.checkout('k1', ['d1.1'], 2, { input: { expectedTotal: 150 } }), h.end(1, ['d2.1'])),
    (h) => (
      pair(h),
      h.checkout('k1', ['d1.1'], 2, { input: { expectedTotal: 150 }, output: { discount: 50, total: 150 } }),
      h.end(1, ['d2.1'])
    ),
  ],
  [
    'charged-wrong',
    'twice',
    (h) => (pair(h), h.checkout('k1', ['d1.1'], 2, { output: { steps: ['PaymentCaptured', 'PaymentCaptured'] } }), h.end(1, ['d2.1'])),
    (h) => (pair(h), h.checkout('k1', ['d1.1'], 2, { output: { steps: ['PaymentUnknown', 'PaymentCaptured'] } }), h.end(1, ['d2.1'])),
  ],
  [
    'oversold',
    'the last cap',
    (h) => (shelf(h, 1), h.add('d1.1', 2), h.checkout('k1', ['d1.1'], 2), h.end(0, [])),
    (h) => (shelf(h, 2), h.add('d1.1', 2), h.checkout('k1', ['d1.1'], 2), h.end(0, [])),
  ],
  [
    'oversold',
    'caps whose stock was not read before the first sale',
    (h) => (h.add('d1.1', 2), h.checkout('k1', ['d1.1'], 2), shelf(h, -1), h.end(0, [])),
    (h) => (h.add('d1.1', 2), h.checkout('k1', ['d1.1'], 2), shelf(h, 0), h.end(0, [])),
  ],
  [
    'revoked-accepted',
    'a cookie, long after the logout',
    (h) => (h.do('logout'), h.do('use-ended-session', { afterMs: 4_000, input: { call: 'read' } })),
    (h) => (h.do('logout'), h.do('use-ended-session', { afterMs: 1_000, input: { call: 'read' } })),
  ],
];

function backAndForth(h: Handmade): void {
  for (const dots of [['d1.1', 'd2.1'], ['d2.1'], ['d1.1', 'd2.1']]) h.read(dots.length === 2 ? 3 : 1, dots, { input: at('l:1:1') });
}
const listed = (h: Handmade, ...ids: string[]): void => listedAs('placed', h, ...ids);

function listedAs(status: string, h: Handmade, ...ids: string[]): void {
  const lines = [{ productId: 'cap', quantity: 2, unitPrice: 100 }];
  const orders = ids.map((orderId) => ({ orderId, status, lines, subtotal: 200, discount: 0, total: 200 }));
  h.do('read-orders', { input: { final: true }, output: { total: ids.length, orders } });
}
const pending = { output: { status: 'pending' } };
const cancelled = (step: string) => ({ output: { status: 'cancelled', steps: [step] } });
const shelf = (h: Handmade, stock: number) => h.do('read-product', { input: { productId: 'cap' }, output: { stock } });

const kindsOf = (make: (h: Handmade) => void): string[] => {
  const made = new Handmade();
  make(made);
  return [...new Set(checkHistory(made.history()).anomalies.map(({ kind }) => kind))];
};

describe('the checker', () => {
  it.each(twins)('reports %s, and nothing else: %s', (kind, _what, bad) => {
    expect(kindsOf(bad)).toEqual([kind]);
  });

  it.each(twins)('reports nothing for the nearest correct history (%s: %s)', (_kind, _what, _bad, good) => {
    expect(kindsOf(good)).toEqual([]);
  });

  it('accepts that a command without an answer happened or not, as the reads show', () => {
    for (const dots of [[], ['d1.1']]) {
      expect(kindsOf((h) => (h.add('d1.1', 1, { outcome: 'unknown' }), h.end(dots.length, dots)))).toEqual([]);
    }
  });

  it('counts a command once, however often it was sent', () => {
    const twice = (quantity: number) => (h: Handmade) => (
      h.add('d1.1', 2, { outcome: 'unknown' }),
      h.add('d1.1', 2, { input: { attempt: 2 } }),
      h.end(quantity, ['d1.1'])
    );
    expect([kindsOf(twice(2)), kindsOf(twice(4))]).toEqual([[], ['doubled']]);
  });

  it('judges a cart that does not name its dots by its quantities', () => {
    const blind = { output: { dots: undefined } };
    expect(kindsOf((h) => (pair(h), h.end(3, [], blind)))).toEqual([]);
    expect(kindsOf((h) => (pair(h), h.end(2, [], blind)))).toEqual(['lost']);
    expect(kindsOf((h) => (pair(h), h.end(5, [], blind)))).toEqual(['doubled']);
    expect(kindsOf((h) => (pair(h), h.remove('d1.2', ['d1.1']), h.end(3, [], blind)))).toEqual(['resurrected']);
  });

  it('allows an older cart only for a device that sends no position, also after the view was put back', () => {
    const back = (input: Record<string, unknown>) => (h: Handmade) => {
      pair(h);
      h.read(3, ['d1.1', 'd2.1'], { input: at('l:1:1'), output: { reached: 'l:1:2' } });
      h.fault('redis-carts', h.nowMs, h.nowMs + 5);
      h.read(1, ['d2.1'], { input });
      h.end(3, ['d1.1', 'd2.1']);
    };
    expect(kindsOf(back(at('l:1:2')))).toEqual(['went-back']);
    // A sign-out made the device forget its position.
    for (const input of [{}, at('l:1:1'), at('l:1:2', 'guest:d1#1')]) expect(kindsOf(back(input))).toEqual([]);
  });

  it('takes no proof of a sign-in from a cart to which the command itself was sent', () => {
    const unsure = (h: Handmade) => (
      h.add('d1.1', 1, { input: guest }),
      h.add('d1.2', 1, { input: guest }),
      h.do('login', { input: claim, outcome: 'unknown' }),
      h.add('d1.2', 1, { input: { attempt: 2 } }),
      h.end(1, ['d1.2'])
    );
    expect(kindsOf(unsure)).toEqual([]);
  });

  it('counts repeated commands, and the situations in which they were repeated', () => {
    const made = new Handmade();
    again(made);
    expect(repeatsOf(made.history())).toMatchObject({ 'lost-answer': 1, 'sign-in': 1, 'sign-in-taken': 0, 'sign-out': 0 });
    made.add('d1.2', 1, { input: guest });
    made.add('d1.2', 1, { gateway: 'http://localhost:4001', input: { attempt: 2 } });
    made.do('logout');
    made.add('d1.2', 1, { input: { attempt: 3, session: 'd1#2' } });
    made.add('d1.2', 1, second);
    const repeats = repeatsOf(made.history());
    expect(repeats).toEqual({ 'lost-answer': 1, 'other-gateway': 2, 'sign-in': 3, 'sign-in-taken': 2, 'sign-out': 1, 'other-person': 1 });
    expect(untriedRepeats(repeats)).toEqual([]);
  });

  it('names the situations in which a run never repeated a command', () => {
    const made = new Handmade();
    again(made);
    expect(untriedRepeats(repeatsOf(made.history()), ['sign-in', 'sign-out'])).toEqual([
      'no command was repeated by the same person, after a sign-out',
    ]);
  });

  it('waits for commands that do not show yet', () => {
    const made = new Handmade();
    made.add('d1.1', 2);
    made.checkout('k1', ['d1.1'], 2, { output: { status: 'pending' } });
    made.end(2, ['d1.1']);
    expect(unsettled(made.history()).map(({ message }) => message)).toEqual(['the order k1 is pending']);
  });

  it('prints the few operations that matter', () => {
    const made = new Handmade();
    for (let other = 0; other < 20; other++) made.read(0, []);
    made.add('d1.1', 2, { output: { token: 'l:1:5' } });
    made.read(0, [], { client: 'd2', input: { final: true } });
    const [anomaly] = checkHistory(made.history()).anomalies;
    expect(explain(anomaly!, made.history())).toBe(
      [
        'lost: add 2 of cap (d1.1) was acknowledged, nothing that had seen it removed it, and it is not there',
        '       +0.0 ms  d1 (p1) :4000  add cap x2 = d1.1 -> ok in 10.0 ms at l:1:5',
        '      +20.0 ms  d2 (p1) :4000  read, last -> empty []',
      ].join('\n'),
    );
  });
});

describe('a history', () => {
  it('is read as it was written', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'history-'));
    try {
      const recorder = openRecorder();
      const what = { client: 'd1', person: 'p1', gateway: 'http://localhost:4000', input: { quantity: 1 } };
      recorder.invoke({ ...what, kind: 'add' })({ outcome: 'ok', output: { token: 'l:1:1' } });
      recorder.invoke({ ...what, kind: 'read' });
      recorder.fault('kill', 'kafka')();
      const history = recorder.history(7, 1_000);
      await writeHistory(join(folder, 'history.jsonl'), history);
      expect(await readHistory(join(folder, 'history.jsonl'))).toEqual(history);
      expect(history.operations.map(({ outcome, completedAtMs }) => [outcome, completedAtMs === undefined])).toEqual([
        ['ok', false],
        ['unknown', true],
      ]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
