import { observed } from '@cloakroom/contracts';
import { describe, expect, it } from 'vitest';
import type { SpanContext, StoredSpan } from '../span.ts';
import { originMs, span, traceId } from './program.fixture.ts';
import { summarise, viewRequest } from './request-view.ts';

/** The store of the server, as a list. */
const storeOf = (...spans: readonly StoredSpan[]): SpanContext => ({
  spansOf: (id) => spans.filter((one) => one.traceId === id),
  tracesThatLinkTo: (id) => [...new Set(spans.filter(({ links }) => links.some((link) => link.traceId === id)).map((one) => one.traceId))],
});
const viewOf = (...spans: readonly StoredSpan[]) => viewRequest(storeOf(...spans).spansOf(traceId), storeOf(...spans))!;

const at = (spanId: string, parentId: string | undefined, startMs: number, endMs: number, more: Partial<StoredSpan> = {}): StoredSpan =>
  span({ spanId, parentId, startMs: originMs + startMs, endMs: originMs + endMs, ...more });
const http = (name: string, status: number, more: StoredSpan['attributes'] = {}): Partial<StoredSpan> => ({
  name,
  kind: 'server',
  attributes: {
    'http.request.method': name.split(' ')[0]!,
    'http.route': name.split(' ')[1]!,
    'http.response.status_code': status,
    [observed.app]: 'gateway',
    [observed.replica]: '1',
    ...more,
  },
});
const topic = (name: string): StoredSpan['attributes'] => ({ 'messaging.system': 'kafka', 'messaging.destination.name': name });
const publish = (attributes: StoredSpan['attributes'] = {}): Partial<StoredSpan> => ({
  name: 'publish cart.events',
  kind: 'producer',
  attributes: { ...topic('cart.events'), 'messaging.destination.partition.id': '7', 'messaging.kafka.offset': 41, ...attributes },
});
const process = (group: string): Partial<StoredSpan> => ({
  name: 'process cart.events',
  kind: 'consumer',
  attributes: { ...topic('cart.events'), 'messaging.consumer.group.name': group },
});
const live = (session: string, device: string): Partial<StoredSpan> => ({
  name: 'live event cart',
  kind: 'producer',
  attributes: { [observed.app]: 'gateway', [observed.session]: session, [observed.device]: device },
});

describe('a request', () => {
  const gateway = at('1', 'p', 2, 8, http('POST /api/cart/lines', 202, { [observed.experiment]: 'trainee-1' }));
  const identity = at('2', '1', 3, 4, {
    name: 'identity',
    attributes: {
      'cloakroom.identity.decision': 'hybrid hit',
      [observed.app]: 'gateway',
      [observed.replica]: '1',
      [observed.subject]: 'u_1',
    },
  });
  const page = at('3', 'p', 0, 11, {
    name: 'page add to cart',
    kind: 'client',
    attributes: { [observed.app]: 'browser', [observed.browserSpan]: 'p', [observed.device]: 'Firefox on Linux' },
  });

  it('begins at the gateway where the page tells nothing', () => {
    expect(summarise([identity, gateway])).toMatchObject({
      traceId,
      name: 'POST /api/cart/lines',
      status: 202,
      startedAtMs: originMs + 2,
      durationMs: 6,
      settledMs: 6,
      decision: 'hit',
      subject: 'u_1',
      experiment: 'trainee-1',
      gateway: 'gateway-1',
    });
  });

  it('begins with the click and ends with what the page showed, once the page has told its times', () => {
    const view = viewOf(gateway, identity, page);
    expect(view).toMatchObject({ name: 'POST /api/cart/lines', status: 202, startedAtMs: originMs, durationMs: 11, gateway: 'gateway-1' });
    expect(view.lanes.map(({ title }) => title)).toEqual(['browser · Firefox on Linux', 'gateway-1']);
    expect(view.path.map(({ kind, name, startMs, durationMs }) => [kind, name, startMs, durationMs])).toEqual([
      ['way there', 'on the way to the gateway', 0, 2],
      ['own', 'POST /api/cart/lines', 2, 1],
      ['work', 'identity', 3, 1],
      ['own', 'POST /api/cart/lines', 4, 4],
      ['way back', 'the gateway’s answer on its way back, until the page showed it', 8, 3],
    ]);
    expect(view.spans.find(({ spanId }) => spanId === '1')).toMatchObject({ parentId: '3', pathMs: 5, afterAnswer: false });
  });

  it('is no request where no gateway was asked: a batch has a trace of its own, and can be shown all the same', () => {
    const batch = [
      at('1', undefined, 0, 5, process('cart-projector')),
      at('2', '1', 1, 3, { name: 'project cart.events', kind: 'consumer' }),
    ];
    expect(summarise(batch)).toBeUndefined();
    expect(viewOf(...batch)).toMatchObject({ name: 'process cart.events', durationMs: 5, gateway: '' });
    expect(summarise([])).toBeUndefined();
    expect(viewRequest([], storeOf())).toBeUndefined();
  });
});

describe('what follows the answer', () => {
  const gateway = at('1', undefined, 0, 10, http('POST /api/cart/lines', 202, { [observed.session]: 'mine' }));
  const published = at('2', '1', 4, 6, publish());
  const projected = at('3', '2', 12, 15, process('cart-projector'));
  const told = at('4', '3', 16, 16, live('theirs', 'Safari on an iPhone'));
  const mine = at('5', '3', 15, 15, live('mine', 'Firefox on Linux'));
  const read = at('6', '4', 18, 24, http('GET /api/cart', 200, { [observed.replica]: '2' }));

  it('is marked, and lasts until its last effect: a page that read again', () => {
    const view = viewOf(gateway, published, projected, told, mine, read);
    expect(view).toMatchObject({ durationMs: 10, settledMs: 24 });
    expect(view.spans.filter(({ afterAnswer }) => afterAnswer).map(({ spanId }) => spanId)).toEqual(['3', '5', '4', '6']);
    expect(view.lanes.map(({ title }) => title)).toEqual([
      'gateway-1',
      'Kafka',
      'cart · projector',
      'open page · Firefox on Linux',
      'open page · Safari on an iPhone',
      'gateway-2',
    ]);
    expect(view.spans.find(({ spanId }) => spanId === '2')?.log).toEqual({ topic: 'cart.events', partition: 7, offset: '41' });
  });

  it('is told in words: through which log, to whom, when', () => {
    const view = viewOf(gateway, published, projected, told, mine, read);
    expect(view.story).toEqual([
      'A product went into the cart: the answer 202 came after 10 ms, and 80 % of that was gateway-1’s own work around its calls.',
      'It reached an open page of another session (Safari on an iPhone) through cart.events 16 ms after its start, after the answer, and a page that read again had the outcome at 24 ms.',
    ]);
    expect(viewOf(gateway, published, mine).story[1]).not.toContain('another session');
    expect(viewOf(gateway, published, projected).story[1]).toBe(
      'Work that it caused went on until 15 ms after its start, and no open page was told of it.',
    );
    expect(viewOf(gateway, published).story[1]).toBe('Nothing came after the answer.');
  });

  it('counts from the answer that the gateway sent, also where the page had it only later', () => {
    const page = at('9', 'p', -3, 30, {
      name: 'page add to cart',
      kind: 'client',
      attributes: { [observed.app]: 'browser', [observed.browserSpan]: 'p' },
    });
    const asked = { ...gateway, parentId: 'p' };
    const quiet = viewOf(page, asked, published);
    expect(quiet.story[1]).toBe('Nothing came after the answer.');
    const view = viewOf(page, asked, published, projected);
    expect(view).toMatchObject({ durationMs: 33, settledMs: 33, answerMs: 13 });
    expect(view.story[1]).toBe('Work that it caused went on until 18 ms after its start, and no open page was told of it.');
    expect(view.spans.filter(({ afterAnswer }) => afterAnswer).map(({ spanId }) => spanId)).toEqual(['3']);
    expect(viewOf(page, asked, published, projected, told).story[1]).toMatch(/ 19 ms after its start, after the answer\.$/);
    expect(viewOf(page, asked, published, at('5', '2', 7, 8, live('theirs', 'Safari'))).story[1]).toMatch(/ even before the answer\.$/);
  });

  it('is told apart from work that was waited for, also where it ended before the answer', () => {
    const view = viewOf(
      gateway,
      at('2', '1', 4, 6, { ...publish(), name: 'outbox cart.events' }),
      at('3', '2', 7, 9, process('cart-projector')),
    );
    expect(view.spans.map(({ spanId, waited, afterAnswer }) => [spanId, waited, afterAnswer])).toEqual([
      ['1', true, false],
      ['2', false, false],
      ['3', false, false],
    ]);
  });

  it('includes a batch that served several requests, and names the others', () => {
    const other = 'f'.repeat(32);
    const links = [
      { traceId: other, spanId: '9' },
      { traceId, spanId: '2' },
    ];
    const batchTrace = 'e'.repeat(32);
    const batch = at('7', undefined, 12, 15, { ...process('cart-projector'), traceId: batchTrace, links });
    const project = at('8', '7', 13, 14, { name: 'project cart.events', kind: 'consumer', traceId: batchTrace });
    const view = viewOf(gateway, published, batch, project);
    expect(view.spans.map(({ spanId, parentId, lane }) => [spanId, parentId, lane])).toEqual([
      ['1', undefined, 'gateway-1'],
      ['2', '1', 'kafka'],
      ['7', '2', 'cart-projector'],
      ['8', '7', 'cart-projector'],
    ]);
    expect(view.settledMs).toBe(15);
    expect(view.related).toEqual([
      { traceId: batchTrace, why: 'A batch (process cart.events) handled a record of this request, together with 1 other request.' },
      { traceId: other, why: 'The same batch of the log served this request too.' },
    ]);
    const ofBatch = viewRequest([batch, project], storeOf(gateway, batch, project))!;
    expect(ofBatch.related.map((one) => one.traceId)).toEqual([other, traceId]);
  });

  it('names a page’s request that has a trace of its own and links to the live event', () => {
    const seen = 'd'.repeat(32);
    const again = at('a', undefined, 20, 25, { ...http('GET /api/cart', 200), traceId: seen, links: [{ traceId, spanId: '4' }] });
    expect(viewOf(gateway, published, projected, told, again).related).toEqual([
      { traceId: seen, why: 'A page saw the outcome and asked again.' },
    ]);
  });
});

describe('the story', () => {
  const refused = (status: number, failure: string) => [
    at('1', undefined, 0, 40, http('POST /api/session/login', status)),
    at('2', '1', 1, 39, {
      name: 'cloakroom.auth.v1.AuthService/Login',
      kind: 'client',
      failure,
      attributes: { 'rpc.method': 'cloakroom.auth.v1.AuthService/Login' },
    }),
    at('3', '2', 2, 38, {
      name: 'cloakroom.auth.v1.AuthService/Login',
      kind: 'server',
      failure,
      attributes: { 'rpc.method': 'cloakroom.auth.v1.AuthService/Login' },
    }),
    at('4', '3', 3, 37, { name: 'argon2 verify' }),
  ];

  it('says why a request was refused, in the words of the error table', () => {
    expect(viewOf(...refused(401, 'invalid_credentials')).story[0]).toBe(
      'A sign-in was refused with 401 invalid_credentials after 40 ms (“E-mail or password is wrong.”), and 85 % of that was “argon2 verify” in auth.',
    );
  });

  it('says that a request failed, and does not quote an error that is none of ours', () => {
    expect(viewOf(...refused(503, 'unavailable')).story[0]).toMatch(/^A sign-in failed with 503 unavailable after 40 ms/);
    expect(viewOf(...refused(500, 'TypeError: <script>')).story[0]).not.toContain('script');
  });

  it('calls a route without words of its own by its name', () => {
    expect(viewOf(at('1', undefined, 0, 4.25, http('PUT /api/new', 204))).story[0]).toMatch(
      /^PUT \/api\/new was answered: the answer 204 came after 4.3 ms/,
    );
  });
});

describe('who was believed', () => {
  const rpc = (attributes: StoredSpan['attributes']) =>
    viewOf(at('1', undefined, 0, 10, { name: 'cloakroom.cart.v1.CartService/GetCart', kind: 'server', attributes })).spans[0]!;

  it('is told with the claims, the policy and what was left of the budget', () => {
    const told = rpc({
      [observed.credential]: 'passport',
      [observed.credentialAgeMs]: 812,
      [observed.claims]: '{"sub":"u_1","aud":"cart"}',
      [observed.caller]: 'gateway',
      [observed.callerProof]: 'certificate',
      [observed.subject]: 'u_1',
      [observed.session]: 'h',
      [observed.mode]: 'hybrid',
      [observed.actors]: 'gateway > orders',
      [observed.policy]: 'identity GUEST',
      [observed.leaseAgeMs]: 120,
      [observed.budgetLeftMs]: 480,
      [observed.budgetMs]: 500,
    });
    expect(told.identity).toEqual({
      decision: 'passport verified',
      caller: 'gateway',
      callerProof: 'certificate',
      subject: 'u_1',
      session: 'h',
      mode: 'hybrid',
      credential: 'passport',
      credentialAgeMs: 812,
      claims: { sub: 'u_1', aud: 'cart' },
      actors: 'gateway > orders',
      policy: 'identity GUEST',
      leaseAgeMs: 120,
      refusal: undefined,
    });
    expect(told.budget).toEqual({ leftMs: 480, ofMs: 500 });
  });

  it('is told as refused with the check, and as nobody where nothing was shown', () => {
    expect(rpc({ [observed.refusal]: 'invalid_passport: expired', [observed.credential]: 'passport' }).identity).toMatchObject({
      decision: 'refused',
      refusal: 'invalid_passport: expired',
    });
    const services = rpc({ [observed.callerProof]: 'secret of this start', [observed.credential]: 'none' });
    expect(services.identity?.decision).toBe('no person needed; the caller’s proof: secret of this start');
    expect(rpc({}).identity).toBeUndefined();
    expect(rpc({}).budget).toBeUndefined();
  });

  it('is told at the gateway as its span `identity` decided, at a caller as shown, at a page as the session that was told', () => {
    const { spans } = viewOf(
      at('1', undefined, 0, 10, http('GET /api/cart', 200, { [observed.policy]: 'identity guest' })),
      at('2', '1', 1, 2, { name: 'identity', attributes: { 'cloakroom.identity.decision': 'hybrid hit' } }),
      at('3', '1', 2, 9, { name: 'GetCart', kind: 'client', attributes: { [observed.credential]: 'passport' } }),
      at('4', '1', 3, 4, publish({ [observed.subject]: 'u_1' })),
      at('5', '4', 5, 5, live('theirs', 'Safari on iOS')),
    );
    expect(spans.map(({ identity }) => identity?.decision)).toEqual([
      'hit',
      'hit',
      'passport shown',
      undefined,
      'told to this session, which was checked again before',
    ]);
    expect(spans[0]?.identity).toMatchObject({ mode: 'hybrid', policy: 'identity guest' });
  });

  it('is nothing where claims are no object', () => {
    for (const claims of ['[1]', 'null', '{', '1'])
      expect(rpc({ [observed.claims]: claims, [observed.policy]: 'x' }).identity?.claims).toBeUndefined();
  });
});
