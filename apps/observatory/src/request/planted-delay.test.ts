import { observed } from '@cloakroom/contracts';
import { describe, expect, it } from 'vitest';
import type { RequestView } from '../api.ts';
import { call, type Phase, type Program, run } from './program.fixture.ts';
import { viewRequest } from './request-view.ts';

const plantedMs = 50;
const toleranceMs = 5;
const alone = { spansOf: () => [], tracesThatLinkTo: () => [] };

/** Where a delay is planted, and whether the answer waits for it. */
const hops = [
  ['the page, before it sends', 'browser', true],
  ['the gateway', 'gateway-1', true],
  ['the question for the identity', 'auth', true],
  ['the way to cart', 'gateway-1', true],
  ['cart', 'cart', true],
  ['its view', 'redis-carts', true],
  ['the log', 'kafka', true],
  ['the way back from cart', 'gateway-1', true],
  ['the shorter of two questions at once', 'profile', false],
  ['the longer of two questions at once', 'catalog', true],
  ['the outbox', 'auth', false],
  ['the projector', 'cart-projector', false],
] as const;
type Hop = (typeof hops)[number][0];

/** A request that meets every kind of hop. */
function request(delayed?: Hop): Program {
  const at = (hop: Hop, workMs: number): Phase => ({ workMs: workMs + (hop === delayed ? plantedMs : 0) });
  const delay = (hop: Hop): number => (hop === delayed ? plantedMs : 0);
  const publish: Program = {
    name: 'publish cart.events',
    kind: 'producer',
    service: 'cart',
    attributes: { 'messaging.system': 'kafka', 'messaging.destination.name': 'cart.events' },
    phases: [
      at('the log', 3.25),
      {
        aside: {
          name: 'process cart.events',
          kind: 'consumer',
          service: 'cart',
          attributes: { 'messaging.consumer.group.name': 'cart-projector', 'messaging.destination.name': 'cart.events' },
          phases: [at('the projector', 4)],
        },
      },
    ],
  };
  const view: Program = {
    name: 'cart view load',
    kind: 'client',
    service: 'cart',
    attributes: { 'db.system.name': 'redis' },
    phases: [at('its view', 1.5)],
  };
  const outbox: Program = { name: 'outbox identity.events', kind: 'internal', service: 'auth', phases: [at('the outbox', 2)] };
  const resolve = call('cloakroom.auth.v1.AuthService/Resolve', 'gateway', 0.5, [
    { aside: outbox },
    at('the question for the identity', 2),
  ]);
  const add = call('cloakroom.cart.v1.CartService/AddItem', 'gateway', 0.75, [
    at('cart', 2),
    { together: [view] },
    { together: [publish] },
    { workMs: 0.5 },
  ]);
  const [there, server, back] = add.phases;
  const delayedAdd: Program = {
    ...add,
    phases: [
      { workMs: ('workMs' in there! ? there.workMs : 0) + delay('the way to cart') },
      server!,
      { workMs: ('workMs' in back! ? back.workMs : 0) + delay('the way back from cart') },
    ],
  };
  const gateway: Program = {
    name: 'POST /api/cart/lines',
    kind: 'server',
    service: 'gateway',
    attributes: {
      'http.request.method': 'POST',
      'http.route': '/api/cart/lines',
      'http.response.status_code': 202,
      [observed.app]: 'gateway',
      [observed.replica]: '1',
    },
    phases: [
      at('the gateway', 1),
      { together: [resolve] },
      {
        together: [
          call('cloakroom.profile.v1.ProfileService/GetProfile', 'gateway', 0.25, [at('the shorter of two questions at once', 1)]),
          call('cloakroom.catalog.v1.CatalogService/GetProducts', 'gateway', 0.25, [at('the longer of two questions at once', 80)]),
        ],
      },
      { together: [delayedAdd] },
      { workMs: 1 },
    ],
  };
  return {
    name: 'page add to cart',
    kind: 'client',
    service: 'gateway',
    attributes: { [observed.app]: 'browser' },
    phases: [at('the page, before it sends', 1), { together: [gateway] }, { workMs: 2 }],
  };
}

const viewOf = (delayed?: Hop): RequestView => viewRequest(run(request(delayed)).spans, alone)!;
const waitedIn = (view: RequestView, lane: string): number =>
  view.path.filter((step) => step.lane === lane).reduce((sum, { durationMs }) => sum + durationMs, 0);

describe(`a delay of ${plantedMs} ms`, () => {
  const before = viewOf();

  it.each(hops)('at %s shows in the share of %s, or the answer does not wait for it', (hop, lane, waited) => {
    const after = viewOf(hop);
    expect(after.lanes.map(({ id }) => id)).toContain(lane);
    const laterMs = after.durationMs - before.durationMs;
    const moreMs = waitedIn(after, lane) - waitedIn(before, lane);
    expect(Math.abs(laterMs - (waited ? plantedMs : 0))).toBeLessThanOrEqual(toleranceMs);
    expect(Math.abs(moreMs - (waited ? plantedMs : 0))).toBeLessThanOrEqual(toleranceMs);
    const sum = after.path.reduce((all, { durationMs }) => all + durationMs, 0);
    expect(sum).toBeCloseTo(after.durationMs, 6);
    expect(after.path.reduce((all, { share }) => all + share, 0)).toBeCloseTo(1, 9);
    expect(after.unattributedPart).toBeLessThanOrEqual(0.1);
  });
});
