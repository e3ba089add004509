import { type FaultSwitch, type LinkedStack, observed } from '@cloakroom/contracts';
import { expect, it } from 'vitest';
import type { StoredSpan } from '../span.ts';
import { blastRadius, blastWindowMs } from './blast-radius.ts';
import { BrokenHistory, brokenNow } from './broken.ts';

const nowMs = 1_000_000;
const stackOf = (states: Readonly<Record<string, 'ready' | 'paused' | 'restarting' | 'ended'>>): LinkedStack => ({
  provider: 'native',
  profile: 'usual',
  gateways: [],
  processes: Object.entries(states).map(([name, state]) => ({
    name,
    kind: 'app',
    apps: [],
    needs: [],
    url: '',
    ports: [],
    readyUrls: [],
    state,
    pid: 1,
    restarts: 0,
  })),
});
const well = stackOf({ auth: 'ready', cart: 'ready', orders: 'ready' });

const answer = (request: string, status: number, more: { refusal?: string; mine?: string; agoMs?: number } = {}): StoredSpan => {
  const [method = '', route = ''] = request.split(' ');
  const endMs = nowMs - (more.agoMs ?? 1_000);
  return {
    traceId: '1',
    spanId: '1',
    parentId: undefined,
    name: request,
    kind: 'server',
    startMs: endMs - 20,
    endMs,
    failure: undefined,
    service: 'gateway',
    attributes: {
      'http.request.method': method,
      'http.route': route,
      'http.response.status_code': status,
      ...(more.refusal !== undefined && { [observed.refusal]: more.refusal }),
      ...(more.mine !== undefined && { [observed.experiment]: more.mine }),
    },
    links: [],
  };
};
const on = (fault: FaultSwitch['fault'], more: Partial<FaultSwitch> = {}): FaultSwitch => ({
  id: '1',
  fault,
  strengthMs: 0,
  leftMs: 1,
  ...more,
});

/** All of it began long ago. */
function look(stack: LinkedStack, switches: readonly FaultSwitch[], spans: readonly StoredSpan[], mine?: string) {
  const history = new BrokenHistory(blastWindowMs);
  history.note(brokenNow(stack, switches), nowMs - 60_000);
  return lookAt(history, spans, mine);
}

function lookAt({ stretches }: BrokenHistory, spans: readonly StoredSpan[], mine?: string) {
  const view = blastRadius(stretches, spans, { nowMs, mine });
  return { ...view, of: (request: string) => view.operations.find((one) => one.request === request)! };
}

it('with nothing broken everything is promised to work, and what nobody asked is not judged', () => {
  const { gone, of } = look(well, [], [answer('GET /api/cart', 200)]);
  expect(gone).toEqual([]);
  expect(of('GET /api/cart')).toMatchObject({ promises: ['works'], observed: { count: 1, successPart: 1, p99Ms: 20 }, agrees: true });
  expect(of('POST /api/orders')).toMatchObject({ promises: ['works'], observed: undefined, agrees: undefined });
});

it('a refusal that is not promised is red', () => {
  const { of } = look(well, [], [answer('GET /api/cart', 503, { refusal: 'unavailable' }), answer('GET /api/cart', 200)]);
  expect(of('GET /api/cart')).toMatchObject({
    observed: { successPart: 0.5, refusals: [{ code: 'unavailable', count: 1 }] },
    agrees: false,
  });
});

it('while cart is gone its promised refusals agree, and another code does not', () => {
  const stack = stackOf({ auth: 'ready', cart: 'restarting' });
  const told = (refusal: string) => look(stack, [], [answer('GET /api/cart', 503, { refusal })]).of('GET /api/cart').agrees;
  expect(look(stack, [], []).gone).toMatchObject([{ part: 'cart', why: 'its process is gone' }]);
  expect([told('unavailable: cart does not answer'), told('identity_unavailable')]).toEqual([true, false]);
  // The gateway's own connection broke; the browser was told "unavailable".
  expect(told('connection_lost')).toBe(true);
  // No column promises that a cart is read while cart is gone.
  expect(look(stack, [], [answer('GET /api/cart', 200)]).of('GET /api/cart').agrees).toBe(false);
});

it('one replica of two that is gone takes no promise back', () => {
  expect(look(stackOf({ 'cart-1': 'paused', 'cart-2': 'ready' }), [], []).gone).toEqual([]);
  expect(look(stackOf({ 'cart-1': 'restarting', 'cart-2': 'ended' }), [], []).gone).toMatchObject([{ part: 'cart' }]);
});

it('a trainee’s fault changes the promises of that trainee, and counts that trainee’s requests', () => {
  const switches = [on('session-store-fails', { experiment: 'ada' })];
  const spans = [
    answer('GET /api/session/devices', 503, { refusal: 'identity_unavailable', mine: 'ada' }),
    answer('GET /api/session/devices', 200, { mine: 'bob' }),
  ];
  const devices = (mine: string) => look(well, switches, spans, mine).of('GET /api/session/devices');
  expect(devices('ada')).toMatchObject({ promises: ['503 `identity_unavailable`'], observed: { count: 1, successPart: 0 }, agrees: true });
  expect(devices('bob')).toMatchObject({ promises: ['works'], observed: { count: 1, successPart: 1 }, agrees: true });
});

it('a trainee’s fault leaves the feed of revocations alone, so nothing that a cache allows is promised as degraded', () => {
  const promises = (experiment?: string) =>
    look(well, [on('database-fails', { at: 'auth', experiment })], [], 'ada').of('GET /api/cart').promises;
  expect(promises('ada')).toEqual(['works', '503 `identity_unavailable`']);
  expect(promises()).toEqual(['works to the passport’s end, and says `degraded`', 'works', '503 `identity_unavailable`']);
});

it('a fault of which the matrix says nothing is named, and nothing is judged by it', () => {
  const { unpromised, of } = look(well, [on('projector-held')], [answer('GET /api/cart', 503, { refusal: 'unavailable' })]);
  expect(unpromised).toEqual(['“The projector stands still”']);
  expect(of('GET /api/cart').agrees).toBeUndefined();
});

it('a lost answer of an addition promises that it counts once, and takes no promise back from the other operations', () => {
  const lost = on('rpc-answer-lost', { at: 'CartService/AddItem', experiment: 'ada' });
  const { of } = look(well, [lost], [], 'ada');
  expect(of('POST /api/cart/lines').promises).toEqual([expect.stringMatching(/outcome_unknown.*counts once/)]);
  expect(of('GET /api/orders').promises).toEqual(['works']);
  expect(look(well, [lost], [], 'bob').of('POST /api/cart/lines').promises).toEqual(['works']);
});

it('a held projector leaves writes their promise, marks reads, and leaves nothing else promised by silence', () => {
  const { of } = look(well, [on('projector-held')], []);
  expect(of('POST /api/cart/lines').promises).toEqual(['works']);
  expect(of('GET /api/cart').promises).toEqual(['works, and is marked as behind']);
  expect(of('POST /api/orders').promises).toEqual([]);
});

it('a part that is gone and a fault without a promise promise nothing together', () => {
  const stack = stackOf({ auth: 'ready', cart: 'restarting' });
  expect(look(stack, [on('rpc-slow', { at: 'AuthService/Login' })], []).of('GET /api/cart').promises).toEqual([]);
  expect(look(stack, [on('projector-held')], []).of('POST /api/cart/lines').promises).toEqual([expect.stringContaining('503')]);
});

it('answers before the window, and mistakes of a browser, judge nothing', () => {
  const { of } = look(well, [], [answer('GET /api/cart', 503, { agoMs: blastWindowMs + 1 }), answer('POST /api/orders', 409)]);
  expect(of('GET /api/cart').observed).toBeUndefined();
  expect(of('POST /api/orders')).toMatchObject({ observed: { count: 1 }, agrees: undefined });
});

it('a write with a wrong body is no evidence, and a right one is judged: while cart is gone only its promised refusals agree', () => {
  const stack = stackOf({ auth: 'ready', cart: 'restarting' });
  const write = (...answers: StoredSpan[]) => look(stack, [], answers).of('POST /api/cart/lines');
  const wrongBody = answer('POST /api/cart/lines', 400, { refusal: 'invalid_request' });
  expect(write(wrongBody)).toMatchObject({ observed: { count: 1 }, agrees: undefined });
  const refused = answer('POST /api/cart/lines', 503, { refusal: 'unavailable' });
  expect([write(refused).agrees, write(refused, wrongBody).agrees]).toEqual([true, true]);
  expect(write(answer('POST /api/cart/lines', 202)).agrees).toBe(false);
});

it('everybody’s fault changes the promises of each trainee', () => {
  const spans = [
    answer('GET /api/products', 200, { mine: 'ada' }),
    answer('GET /api/profile', 503, { refusal: 'unavailable', mine: 'ada' }),
  ];
  const { gone, of } = look(well, [on('database-fails', { at: 'profile' })], spans, 'ada');
  expect(gone).toMatchObject([{ part: 'profile', why: '“A database does not answer” (profile)' }]);
  expect(of('GET /api/products')).toMatchObject({ promises: ['works'], agrees: true });
  expect(of('GET /api/profile')).toMatchObject({ promises: ['503 `unavailable`'], agrees: true });
});

it('a log that takes no records is still read, so the row of a lost log promises nothing of it', () => {
  const { unpromised, of } = look(well, [on('publish-fails')], [answer('GET /api/cart', 200)]);
  expect(unpromised).toEqual(['“The log takes no records”']);
  expect(of('GET /api/cart')).toMatchObject({ promises: [], agrees: undefined });
});

it('an answer is held against what was broken when it was given: a mended part leaves no red row, and a planted refusal does', () => {
  const history = new BrokenHistory(60_000);
  const gone = stackOf({ auth: 'ready', cart: 'restarting' });
  history.note(brokenNow(gone, []), nowMs - 20_000);
  history.note(brokenNow(well, []), nowMs - 5_000);
  const meanwhile = answer('GET /api/cart', 503, { refusal: 'unavailable', agoMs: 9_000 });
  const afterwards = answer('GET /api/cart', 200);
  expect(lookAt(history, [meanwhile, afterwards])).toMatchObject({ gone: [] });
  expect(lookAt(history, [meanwhile, afterwards]).of('GET /api/cart')).toMatchObject({
    promises: ['works'],
    observed: { count: 2 },
    agrees: true,
  });
  const planted = answer('GET /api/cart', 503, { refusal: 'unavailable', agoMs: 1_500 });
  expect(lookAt(history, [meanwhile, afterwards, planted]).of('GET /api/cart').agrees).toBe(false);
});

it('an answer close to a change is shown and not judged', () => {
  const history = new BrokenHistory(60_000);
  history.note(brokenNow(stackOf({ cart: 'restarting' }), []), nowMs - 1_500);
  const refused = answer('GET /api/cart', 503, { refusal: 'identity_unavailable' });
  expect(lookAt(history, [answer('GET /api/cart', 200), refused]).of('GET /api/cart')).toMatchObject({
    promises: ['503 `unavailable`'],
    observed: { count: 2 },
    agrees: undefined,
  });
});

it('the matrix says nothing of a paused cart, and something of paused orders', () => {
  const paused = look(stackOf({ cart: 'paused', orders: 'paused' }), [], []);
  expect(paused.unpromised).toEqual(['cart is paused']);
  expect(paused.gone).toMatchObject([{ part: 'orders', why: 'its process is paused' }]);
});

it('what was broken is forgotten when no answer of that time is looked at any more', () => {
  const history = new BrokenHistory(10_000);
  history.note(brokenNow(stackOf({ cart: 'restarting' }), []), 0);
  history.note([], 1_000);
  expect(history.stretches).toMatchObject([{ part: 'cart', fromMs: 0, untilMs: 1_000 }]);
  history.note([], 12_000);
  expect(history.stretches).toEqual([]);
});
