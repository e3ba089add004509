/**
 * The lane of each span: the place where it was at work. A service says by `observatory.app` which app made the span. Without that, as in spans that
 * older builds send, the lane comes from `service.name`, and in embedded, where all share one name, from what the span is about.
 */
import { observed, topics } from '@cloakroom/contracts';
import type { LaneView } from '../api.ts';
import type { StoredSpan } from '../span.ts';
import type { Node } from './tree.ts';

const apps: ReadonlySet<string> = new Set(['auth', 'cart', 'catalog', 'gateway', 'orders', 'profile']);
/** The app of the browser's own spans, as `observatory.app` calls it. */
const browserApp = 'browser';
/** The process of embedded, which holds all apps: where a span says no more than this, what it is about tells its app. */
const sharedProcess = 'cloakroom';
const projectorGroup = 'cart-projector';

/** The process of a span, before its lane is known. */
interface Place {
  readonly app: string;
  /** '' where nobody tells. */
  readonly replica: string;
  /** The work of the projector, which is a place of its own inside cart. */
  readonly projector: boolean;
}

/** @returns the lane of each span, by the span's id; lanes in the order of first use, the browser first */
export function lanesOf(nodes: Iterable<Node>): { readonly lanes: LaneView[]; readonly laneOf: ReadonlyMap<string, string> } {
  const places = new Map<Node, Place>();
  const laneOf = new Map<string, string>();
  const lanes = new Map<string, LaneView & { readonly firstMs: number }>();
  for (const node of nodes) {
    const place = placeOf(node, node.parent === undefined ? undefined : places.get(node.parent));
    places.set(node, place);
    const lane = laneInRegion(laneAt(node, place), node.span);
    laneOf.set(node.span.spanId, lane.id);
    const known = lanes.get(lane.id);
    if (known === undefined || node.startMs < known.firstMs) lanes.set(lane.id, { ...lane, firstMs: node.startMs });
  }
  // The browser that asked stands first; pages that are told later stand where they come in.
  const first = (lane: LaneView & { readonly firstMs: number }): number => (lane.kind === 'browser' && lane.firstMs <= 0 ? 0 : 1);
  const ordered = [...lanes.values()].toSorted((a, b) => first(a) - first(b) || a.firstMs - b.firstMs);
  return { lanes: ordered.map(({ id, title, kind }) => ({ id, title, kind })), laneOf };
}

function placeOf({ span, parent }: Node, above: Place | undefined): Place {
  const { attributes, service, kind } = span;
  // With two regions each has one of each, and the region tells them apart.
  const isOnly = attributes[observed.app] === sharedProcess || attributes[observed.region] !== undefined;
  const replica = isOnly ? '' : textOf(attributes[observed.replica]);
  const group = textOf(attributes['messaging.consumer.group.name']);
  // Only a call or a batch comes from elsewhere: all other spans are in the process of the span above.
  const stays = kind !== 'server' && group === '' && parent?.span.service === service;
  const projector = group === projectorGroup || (group === '' && kind !== 'server' && above?.projector === true);
  // A span that says its app but no replica is the work of the span above it, where that is of the same app.
  const placeIn = (app: string, number: string): Place => ({
    app,
    replica: number || (stays && above?.app === app ? above.replica : ''),
    projector: projector && app === 'cart',
  });
  const told = textOf(attributes[observed.app]);
  if (told !== '' && told !== sharedProcess) return placeIn(told, replica);
  const named = /^([a-z]+?)(?:-(\d+))?$/.exec(service);
  if (named !== null && apps.has(named[1]!)) return placeIn(named[1]!, replica || (named[2] ?? ''));
  const derived = derivedApp(span, group);
  if (derived !== undefined) return placeIn(derived, replica);
  return above === undefined ? placeIn(service || 'unknown', replica) : { ...above, projector: projector && above.app === 'cart' };
}

/** In embedded: "cloakroom.auth.v1.AuthService/Login" is auth, "cart-claims" is cart, a route is the gateway. */
function derivedApp({ kind, attributes, name }: StoredSpan, group: string): string | undefined {
  if (attributes['http.route'] !== undefined || name.startsWith('live event ') || name === 'identity') return 'gateway';
  const rpc = /^cloakroom\.([a-z]+)\./.exec(textOf(attributes['rpc.method']))?.[1];
  if (kind === 'server' && rpc !== undefined && apps.has(rpc)) return rpc;
  const prefix = group.split('-')[0]!;
  return apps.has(prefix) ? prefix : undefined;
}

function laneAt({ span, parent }: Node, place: Place): LaneView {
  const { attributes, name, kind } = span;
  // A page that reads again because it was told is the page that was told.
  if (place.app === browserApp && parent?.span.name.startsWith('live event ') === true) return pageLane(parent.span.attributes);
  if (place.app === browserApp) return browserLane(attributes);
  if (name.startsWith('live event ')) return pageLane(attributes);
  if (kind === 'producer' && attributes['messaging.system'] !== undefined) return { id: 'kafka', title: 'Kafka', kind: 'log' };
  const store = textOf(attributes['db.system.name']);
  if (store !== '') return storeLane(store, place.app);
  if (place.projector) return { id: 'cart-projector', title: 'cart · projector', kind: 'projector' };
  if (place.app === 'gateway') {
    const id = place.replica === '' ? 'gateway' : `gateway-${place.replica}`;
    return { id, title: id, kind: 'gateway' };
  }
  // A service has one replica unless somebody wants more, and then the others say their number.
  const id = place.replica === '' || place.replica === '1' ? place.app : `${place.app}-${place.replica}`;
  return { id, title: id, kind: 'service' };
}

function laneInRegion(lane: LaneView, { attributes }: StoredSpan): LaneView {
  const region = textOf(attributes[observed.region]);
  return region === '' || lane.kind === 'browser' ? lane : { ...lane, id: `${lane.id}-${region}`, title: `${lane.title} ${region}` };
}

function storeLane(system: string, app: string): LaneView {
  if (system !== 'redis') return { id: `${app}-database`, title: `${app} database`, kind: 'store' };
  // The two Redis of the stack are named by what they hold.
  const holds = app === 'auth' ? 'sessions' : app === 'cart' ? 'carts' : app;
  return { id: `redis-${holds}`, title: `Redis ${holds}`, kind: 'store' };
}

function browserLane(attributes: StoredSpan['attributes']): LaneView {
  const device = textOf(attributes[observed.device]);
  return device === ''
    ? { id: 'browser', title: 'browser', kind: 'browser' }
    : { id: `browser-${device}`, title: `browser · ${device}`, kind: 'browser' };
}

/** The page that a live event was sent to. The gateway knows its device only where the page told it. */
function pageLane(attributes: StoredSpan['attributes']): LaneView {
  const device = textOf(attributes[observed.device]);
  const session = textOf(attributes[observed.session]);
  if (device === '') return { id: `page-${session}`, title: 'an open page', kind: 'browser' };
  return { id: `page-${device}-${session}`, title: `open page · ${device}`, kind: 'browser' };
}

/** Topics of the shop, longest way first: for words about what a request went through. */
export const topicNames: readonly string[] = Object.values(topics).map(({ name }) => name);

/** "auth" of "cloakroom.auth.v1.AuthService/Login"; undefined where the span is no rpc. */
export const calledService = ({ attributes }: StoredSpan): string | undefined =>
  /^cloakroom\.([a-z]+)\./.exec(textOf(attributes['rpc.method']))?.[1];

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
