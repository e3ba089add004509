/**
 * The faults that a person who studies a shop may switch on, and the bounds that the Observatory, the services and the command agree on. A switch is
 * a fault with a strength, a scope and an end. Only shops on the machine of their operator have them.
 */
import type { DescService } from '@bufbuild/protobuf';
import { AccountService } from './gen/cloakroom/auth/v1/account_pb.ts';
import { AuthService } from './gen/cloakroom/auth/v1/auth_pb.ts';
import { CartService } from './gen/cloakroom/cart/v1/cart_pb.ts';
import { CatalogService } from './gen/cloakroom/catalog/v1/catalog_pb.ts';
import { OrdersService } from './gen/cloakroom/orders/v1/orders_pb.ts';
import { ProfileService } from './gen/cloakroom/profile/v1/profile_pb.ts';
import { topics } from './topics.ts';

/** A process keeps a switch for so long after it last asked the Observatory, counted from the asking. A lost Observatory leaves no fault behind. */
export const faultLeaseMs = 2_000;
/** While a switch is on, each process asks this often, so that one late answer does not end the lease. */
export const faultRenewalMs = 500;
/** The longest time that a switch stays on, however often it is renewed: a page that somebody forgot must not break a shop for a night. */
export const faultMaxMs = 10 * 60_000;
/** While no switch is on, a process waits so long for news before it asks again. News is told at once. */
export const faultQuietWaitMs = 20_000;

export const faultNames = [
  'rpc-slow',
  'rpc-fails',
  'rpc-answer-lost',
  'session-store-slow',
  'session-store-fails',
  'database-slow',
  'database-fails',
  'cart-read-stale',
  'projector-held',
  'revocations-held',
  'publish-slow',
  'publish-fails',
  'connection-cut',
  'connection-slow',
] as const;
export type FaultName = (typeof faultNames)[number];

export interface Strength {
  readonly minMs: number;
  readonly maxMs: number;
  readonly usualMs: number;
}

export interface FaultKind {
  readonly title: string;
  /** Plain words for somebody who has not read the code: what is done, and what to look for. */
  readonly explanation: string;
  /** `mine` may be for one experiment. The others meet everybody, because records share their partition. */
  readonly reach: 'mine' | 'everybody';
  /** Milliseconds; undefined where there is nothing to choose. */
  readonly strength: Strength | undefined;
  /** The meaning of `at`; undefined where there is nothing to choose. */
  readonly at: 'method' | 'service' | 'process' | 'topic' | 'connection' | undefined;
  /** Without `at` it would break everything at once. */
  readonly needsAt: boolean;
  /** The file where services ask. */
  readonly file: string;
}

/** Longer than the longest budget of a route, so that a person may see a deadline pass. */
const waiting: Strength = { minMs: 10, maxMs: 5_000, usualMs: 300 };

const kind = (of: Omit<FaultKind, 'reach' | 'strength' | 'at' | 'needsAt'> & Partial<FaultKind>): FaultKind => ({
  reach: 'mine',
  strength: undefined,
  at: undefined,
  needsAt: false,
  ...of,
});

const rpc = { at: 'method', needsAt: true, file: 'libs/mesh/src/server/server-faults.ts' } as const;
const store = { file: 'apps/auth/src/sessions/store-faults.ts' } as const;
const database = { at: 'service', file: 'libs/platform/src/database/database.faults.ts' } as const;
const connection = { reach: 'everybody', at: 'connection', needsAt: true, file: 'libs/faults/src/connections.ts' } as const;
const held = { reach: 'everybody', file: 'libs/event-log/src/event-log.faults.ts' } as const;

export const faultKinds: Readonly<Record<FaultName, FaultKind>> = {
  'rpc-slow': kind({
    ...rpc,
    title: 'A service answers late',
    explanation:
      'The service waits before it begins the method. Above the budget of the call, the deadline passes: the gateway gives up, and says so.',
    strength: waiting,
  }),
  'rpc-fails': kind({
    ...rpc,
    title: 'A service refuses',
    explanation: 'The service answers "unavailable" at once, and does nothing. A write may be repeated safely.',
  }),
  'rpc-answer-lost': kind({
    ...rpc,
    title: 'An answer is lost',
    explanation:
      'The service does the work, and then the connection breaks. The caller cannot know whether it was done, so a write ends as "outcome unknown".',
  }),
  'session-store-slow': kind({
    ...store,
    title: 'The session store is slow',
    explanation: 'Each question of auth to its store of sessions waits first. The gateway does not ask while its cache knows you.',
    strength: waiting,
  }),
  'session-store-fails': kind({
    ...store,
    title: 'The session store does not answer',
    explanation: 'Each question of auth to its store of sessions fails. Who was seen a moment ago goes on with a cached passport.',
  }),
  'database-slow': kind({
    ...database,
    title: 'A database is slow',
    explanation: 'Each statement and transaction of the service waits before it takes a connection.',
    strength: waiting,
  }),
  'database-fails': kind({
    ...database,
    title: 'A database does not answer',
    explanation: 'Each statement and transaction of the service fails before it takes a connection: nothing is written.',
  }),
  'cart-read-stale': kind({
    title: 'Reads of the cart are old',
    explanation:
      'Reads see the cart as a copy that lags behind. A read that must see your last write waits 200 ms in vain, and then says that it is behind.',
    strength: { minMs: 1_000, maxMs: 60_000, usualMs: 5_000 },
    file: 'apps/cart/src/reads/stale-view.ts',
  }),
  'projector-held': kind({
    ...held,
    title: 'The projector stands still',
    explanation:
      'Writes are taken, but no view follows: carts show an older state, and say by how many events they are behind. Afterwards the view catches up.',
  }),
  'revocations-held': kind({
    ...held,
    title: 'A process hears no revocations',
    explanation: 'The process hears of no ended session. After 2 s it trusts its cache no more, and asks auth for each request.',
    at: 'process',
    needsAt: true,
  }),
  'publish-slow': kind({
    ...held,
    title: 'The log takes records slowly',
    explanation: 'Each publish waits first. Above 2 s even the heartbeats of revocations are late, and caches are trusted no more.',
    strength: { minMs: 10, maxMs: 5_000, usualMs: 500 },
    at: 'topic',
  }),
  'publish-fails': kind({
    ...held,
    title: 'The log takes no records',
    explanation: 'Each publish fails, and nothing is written. A write to a cart says "unavailable"; what is in an outbox waits there.',
    at: 'topic',
  }),
  'connection-cut': kind({
    ...connection,
    title: 'A connection is cut',
    explanation:
      'The first process ends its TCP connections to the second, and new ones are refused there, as if a wire were cut. Both processes run on, and others still reach them.',
  }),
  'connection-slow': kind({
    ...connection,
    title: 'A connection is slow',
    explanation:
      'The first process opens its TCP connections to the second anew, and every byte waits so long on its way there, and again on its way back. At the end they are opened anew once more.',
    strength: { minMs: 5, maxMs: 2_000, usualMs: 100 },
  }),
};

const meshServices: readonly DescService[] = [AuthService, AccountService, CartService, ProfileService, CatalogService, OrdersService];

/** The values of `at`. Methods are named as in "CartService/GetCart". Processes and connections depend on the shop that runs, so they are not here. */
export const faultPlaces: Readonly<Record<'method' | 'service' | 'topic', readonly string[]>> = {
  method: meshServices.flatMap((service) => service.methods.map((method) => `${service.name}/${method.name}`)),
  service: ['auth', 'catalog', 'orders', 'profile'],
  topic: Object.values(topics).map(({ name }) => name),
};

/** A fault that is on, as the Observatory tells the services. */
export interface FaultSwitch {
  /** New each time that it is switched on. */
  readonly id: string;
  readonly fault: FaultName;
  /** 0 where there is nothing to choose. */
  readonly strengthMs: number;
  /** undefined: everywhere. */
  readonly at?: string | undefined;
  /** undefined: everybody's. */
  readonly experiment?: string | undefined;
  readonly leftMs: number;
  /** The two ends of `at`, where it is a connection; absent while one of them does not run. */
  readonly ends?: ConnectionEnds | undefined;
}

/** Told at each renewal: a process that was started again has another id. */
export interface ConnectionEnds {
  /** The process that connects. */
  readonly pid: number;
  /** Where the other one listens, on loopback. */
  readonly ports: readonly number[];
}

/** The answer to `GET <Observatory>/v1/faults?seen=<revision>&wait=<ms>`: at once when the revision is another, else after the wait. */
export interface FaultSwitches {
  readonly revision: string;
  readonly switches: readonly FaultSwitch[];
}

/** `GET /api/faults`: all that may be broken, and what is broken now. */
export interface FaultsView {
  readonly faults: readonly FaultView[];
  readonly on: readonly FaultOn[];
  /** The longest that a switch stays on, in milliseconds. */
  readonly forMaxMs: number;
}

export interface FaultView {
  readonly name: FaultName;
  readonly title: string;
  /** Plain words: what is done, and what to look for. */
  readonly explanation: string;
  /** `mine` may be for one trainee, or for everybody. The others meet everybody, and a page says so in red. */
  readonly reach: FaultKind['reach'];
  /** Milliseconds; undefined where there is nothing to choose. */
  readonly strength: Strength | undefined;
  /** A further choice: the method, the service, the process, the topic. */
  readonly at: { readonly what: NonNullable<FaultKind['at']>; readonly needed: boolean; readonly among: readonly string[] } | undefined;
  /** The file where the services ask. */
  readonly file: string;
}

/** A switch that is on. */
export interface FaultOn {
  readonly id: string;
  readonly name: FaultName;
  readonly strengthMs: number | undefined;
  readonly at: string | undefined;
  /** The trainee who meets it; undefined: everybody does. */
  readonly mine: string | undefined;
  readonly leftMs: number;
}

/** The body of `PUT /api/faults/:name`, which answers with a `FaultOn`. One of `mine` and `everybody`. `DELETE /api/faults[/:idOrName][?mine=ID]` ends. */
export interface FaultWanted {
  /** The asker's own trainee id. */
  readonly mine?: string;
  readonly everybody?: true;
  readonly strengthMs?: number;
  readonly at?: string;
  /** 2 minutes by default. */
  readonly forMs?: number;
}
