/** The types of the drawing: a process, a stack, and the options of a start. Part of the drawing: see stack.ts. */
import { type BrokerPorts, type RegionName, serviceNames, type ServiceName } from './stack.ports.ts';

export type Provider = 'native' | 'embedded' | 'external' | 'docker';
export type AppName = ServiceName | 'gateway';
export type Profile = 'usual' | 'cluster' | 'regions';
export const profiles: readonly Profile[] = ['usual', 'cluster', 'regions'];
export type Database = 'sqlite' | 'postgres';
export const databases: readonly Database[] = ['sqlite', 'postgres'];

/** Services with a database, each its own. cart has none: its log is its source of truth. */
export const databaseOwners = ['auth', 'profile', 'catalog', 'orders'] as const;
export type DatabaseOwner = (typeof databaseOwners)[number];

type Several<Name extends string> = Name | `${Name}-${1 | 2 | 3 | 4 | 5 | 6}`;
type OfRegion = `${'redis-sessions' | 'redis-carts' | 'kafka' | 'mirror' | AppName}-${RegionName}`;
/** Every name that a process can have. `npm run status`, log files and tests use it. Several of a kind are counted from 1. */
export type ProcessName =
  Several<'redis-sessions' | 'kafka' | AppName> | OfRegion | 'redis-carts' | 'postgres' | 'cloakroom' | 'observatory' | 'ocean';

/** One app with all its settings. In embedded several apps share one process. */
export interface AppSpec {
  readonly app: AppName;
  readonly env: Readonly<Record<string, string>>;
  /** Further settings, read from the data folder, so that the drawing itself holds no secret. */
  readonly secrets: readonly SecretName[];
}

/**
 * SESSION_MAC_KEY: base64url of 32 bytes; gateways and auth seal tokens with it.
 * REFRESH_TOKEN_KEY: the same; auth alone seals refresh tokens.
 * KEY_ENCRYPTION_KEY: the same; auth alone seals the secrets in its database.
 * DATABASE_PASSWORD: of the services' roles in our own PostgreSQL.
 * OBSERVATORY_SPAN_KEY: new at each start; with it services tell the Observatory their spans.
 */
export type SecretName = 'SESSION_MAC_KEY' | 'REFRESH_TOKEN_KEY' | 'KEY_ENCRYPTION_KEY' | 'DATABASE_PASSWORD' | 'OBSERVATORY_SPAN_KEY';

export type Run =
  | { readonly kind: 'redis'; readonly port: number; readonly dir: string }
  /** @property forms given to the last node to start: the ports of all nodes; once that node answers, they form the cluster */
  | { readonly kind: 'redis-cluster-node'; readonly port: number; readonly dir: string; readonly forms?: readonly number[] }
  | (BrokerPorts & { readonly kind: 'kafka'; readonly dir: string; readonly among?: AmongBrokers; readonly wan?: WanListener })
  /** Kafka's own MirrorMaker 2: copies the other region's topics into this region's Kafka. */
  | { readonly kind: 'mirror'; readonly dir: string; readonly mirror: MirrorPlace }
  /** The network between two regions. */
  | { readonly kind: 'ocean'; readonly ocean: OceanPlace }
  | { readonly kind: 'postgres'; readonly port: number; readonly dir: string; readonly databases: readonly string[] }
  | { readonly kind: 'app'; readonly app: AppSpec }
  /** All apps in one process, in this order, with one event log in memory that is mirrored to a file. */
  | { readonly kind: 'embedded'; readonly apps: readonly AppSpec[]; readonly eventLogFile: string }
  /** Shows the others. */
  | { readonly kind: 'observatory'; readonly env: Env };

/** A broker's place among several. */
export interface AmongBrokers {
  /** From 1: the index in `controllerPorts`, plus one. */
  readonly nodeId: number;
  readonly controllerPorts: readonly number[];
  /** Holds the id with which all brokers are formatted. */
  readonly clusterIdFile: string;
}

/** A second listener of a broker. Clients that come by it are sent to the advertised port, which is the ocean's. */
export interface WanListener {
  readonly port: number;
  readonly advertisedPort: number;
}

/** @property here the region whose Kafka is written; @property there the one whose Kafka is read, across the ocean */
export interface MirrorPlace {
  readonly here: RegionName;
  readonly there: RegionName;
  readonly brokerHere: string;
  readonly brokerThere: string;
}

export interface OceanPlace {
  readonly controlPort: number;
  readonly rttMs: number;
  readonly routes: readonly OceanRoute[];
  /** Each region's Kafka on its own shore: the lag of the mirrors is read there. */
  readonly brokers: Readonly<Record<RegionName, string>>;
}

/** Connections to `listenPort` were dialled in the region `from`. They go on to `targetPort` in the region `to`. */
export interface OceanRoute {
  readonly name: 'kafka' | ServiceName;
  readonly from: RegionName;
  readonly to: RegionName;
  readonly listenPort: number;
  readonly targetPort: number;
}

export type Health =
  /** @property host loopback by default */
  | { readonly kind: 'redis'; readonly port: number; readonly host?: string }
  | { readonly kind: 'kafka'; readonly port: number; readonly host?: string }
  /** Ready when a member of the group works. */
  | { readonly kind: 'kafka-group'; readonly port: number; readonly group: string }
  | { readonly kind: 'postgres'; readonly port: number }
  /** Ready when all URLs answer 200. */
  | { readonly kind: 'http'; readonly urls: readonly string[] };

export interface ProcessSpec {
  readonly name: ProcessName;
  readonly run: Run;
  /** These processes are ready before this one starts, and end after it. */
  readonly needs: readonly ProcessName[];
  readonly ports: readonly number[];
  /** The address that a person is shown. */
  readonly url: string;
  readonly health: Health;
  readonly readyTimeoutMs: number;
  readonly stopGraceMs: number;
  /** Where there are two. */
  readonly region?: RegionName;
  /** The shop does without it: it starts after all others, and the stack lives on where it does not start. */
  readonly beside?: boolean;
}

export interface StackSpec {
  readonly provider: Provider;
  readonly profile: Profile;
  readonly base: number;
  readonly dataDir: string;
  /** In an order that respects `needs`. */
  readonly processes: readonly ProcessSpec[];
  readonly gateways: readonly [string, string, ...string[]];
}

export interface StackOptions {
  readonly provider: Provider;
  /** usual by default. cluster is for native alone, and always on PostgreSQL. regions is for native alone, on SQLite. */
  readonly profile?: Profile | undefined;
  /** The first port: 4000 by default. */
  readonly base: number;
  readonly dataDir: string;
  /** The built web app. Without it the gateway serves the API alone. */
  readonly webDir?: string | undefined;
  /** A further origin that the shop takes writes from: pages that Vite serves while somebody edits them. */
  readonly pagesOrigin?: string | undefined;
  readonly logLevel?: string | undefined;
  /** OTEL_* for every process. Without them the processes make no traces. */
  readonly telemetry?: Env | undefined;
  /** Wider limits than a shop's, by name. Tests need them when they act as a hundred people at one address. */
  readonly limits?: Env | undefined;
  readonly sessionMode?: string | undefined;
  /** The session modes that a sign-in may ask for, separated by commas. */
  readonly sessionModes?: string | undefined;
  /** Tests alone shorten it from its 5 minutes. */
  readonly accessTokenLifetimeMs?: number | undefined;
  /** sqlite by default. postgres is our own server (native) or an external one (external). */
  readonly database?: Database | undefined;
  readonly external?: ExternalUrls | undefined;
  /** For native: see StackRequest in harness.ts. */
  readonly storageUrls?: StorageDetours | undefined;
  /** The round trip between two regions, for `--profile regions`. */
  readonly oceanRttMs?: number | undefined;
  /** Draws the Observatory, and tells every service to send it spans. For native and embedded: it is a tool of one's own machine. */
  readonly observatory?: boolean | undefined;
}

export interface ExternalUrls {
  readonly kafkaBrokers: string;
  readonly sessionRedisUrl: string;
  readonly cartRedisUrl: string;
  readonly databaseUrls?: Readonly<Record<DatabaseOwner, string>> | undefined;
  /** SEED_ACCOUNTS=true asks for it. A database that is kept must not get accounts with a published password unasked. */
  readonly seedAccounts?: boolean | undefined;
}

/** Names in the certificates of the mesh. */
export const meshNames: readonly AppName[] = ['gateway', ...serviceNames];

/** The service that a process is: cart, cart-2 and cart-eu are cart, and show its certificate. */
export const serviceOf = (processName: string): string => processName.replace(/-(?:\d+|eu|us)$/, '');

export interface StorageUrls {
  readonly KAFKA_BROKERS: string;
  readonly SESSION_REDIS_URL: string;
  readonly CART_REDIS_URL: string;
}

export type StorageDetours = Readonly<Partial<StorageUrls>>;

export type Env = Readonly<Record<string, string>>;
