/** The words of the drawing: what a process is, what a stack is made of, and what may be asked for. Part of the drawing: see stack.ts. */
import type { BrokerPorts } from './stack.ports.ts';

export type Provider = 'native' | 'embedded' | 'external' | 'docker';
export type AppName = 'auth' | 'cart' | 'profile' | 'catalog' | 'orders' | 'gateway';
export type Profile = 'usual' | 'cluster';
export const profiles: readonly Profile[] = ['usual', 'cluster'];
export type Database = 'sqlite' | 'postgres';
export const databases: readonly Database[] = ['sqlite', 'postgres'];

/** Those that have a database, each its own. cart has none: its log is its truth. */
export const databaseOwners = ['auth', 'profile', 'catalog', 'orders'] as const;
export type DatabaseOwner = (typeof databaseOwners)[number];

type Several<Name extends string> = Name | `${Name}-${1 | 2 | 3 | 4 | 5 | 6}`;
/** Every name a process can have: `npm run status`, log files and tests speak of it by this. Where there are several they are counted from 1. */
export type ProcessName = Several<'redis-sessions' | 'kafka' | AppName> | 'redis-carts' | 'postgres' | 'cloakroom';

/** One app with all that it is told. In embedded several share one process. */
export interface AppSpec {
  readonly app: AppName;
  readonly env: Readonly<Record<string, string>>;
  /** Told besides, out of the data folder, so that the drawing itself holds no secret. */
  readonly secrets: readonly SecretName[];
}

/**
 * SESSION_MAC_KEY: base64url of 32 bytes; gateways and auth seal tokens with it.
 * REFRESH_TOKEN_KEY: the same; auth alone seals refresh tokens.
 * KEY_ENCRYPTION_KEY: the same; auth alone seals what its database keeps secret.
 * DATABASE_PASSWORD: of the services' roles in our own PostgreSQL.
 */
export type SecretName = 'SESSION_MAC_KEY' | 'REFRESH_TOKEN_KEY' | 'KEY_ENCRYPTION_KEY' | 'DATABASE_PASSWORD';

export type Run =
  | { readonly kind: 'redis'; readonly port: number; readonly dir: string }
  /** @property forms of the last node to start: all ports of the cluster that is to be formed of them once it answers */
  | { readonly kind: 'redis-cluster-node'; readonly port: number; readonly dir: string; readonly forms?: readonly number[] }
  | (BrokerPorts & { readonly kind: 'kafka'; readonly dir: string; readonly among?: AmongBrokers })
  | { readonly kind: 'postgres'; readonly port: number; readonly dir: string; readonly databases: readonly string[] }
  | { readonly kind: 'app'; readonly app: AppSpec }
  /** All of them in one process, in this order, with one event log in memory mirrored to a file. */
  | { readonly kind: 'embedded'; readonly apps: readonly AppSpec[]; readonly eventLogFile: string };

/** A broker's place among several. */
export interface AmongBrokers {
  /** From 1: the index in `controllerPorts`, plus one. */
  readonly nodeId: number;
  readonly controllerPorts: readonly number[];
  /** Holds the id that all of them are formatted with. */
  readonly clusterIdFile: string;
}

export type Health =
  /** @property host loopback unless told */
  | { readonly kind: 'redis'; readonly port: number; readonly host?: string }
  | { readonly kind: 'kafka'; readonly port: number; readonly host?: string }
  | { readonly kind: 'postgres'; readonly port: number }
  /** Ready when all of them answer 200. */
  | { readonly kind: 'http'; readonly urls: readonly string[] };

export interface ProcessSpec {
  readonly name: ProcessName;
  readonly run: Run;
  /** Ready before this one starts; ended after it. */
  readonly needs: readonly ProcessName[];
  readonly ports: readonly number[];
  /** What a person is shown. */
  readonly url: string;
  readonly health: Health;
  readonly readyTimeoutMs: number;
  readonly stopGraceMs: number;
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
  /** usual unless told. cluster is for native alone, and always on PostgreSQL. */
  readonly profile?: Profile | undefined;
  /** Where the ports begin: 4000 unless told. */
  readonly base: number;
  readonly dataDir: string;
  /** The built web app; without it the gateway serves the API alone. */
  readonly webDir?: string | undefined;
  readonly logLevel?: string | undefined;
  /** OTEL_* for every process; without, no traces are made. */
  readonly telemetry?: Env | undefined;
  /** Wider bounds than a shop's, by name: for tests that are a hundred people at one address. */
  readonly limits?: Env | undefined;
  readonly sessionMode?: string | undefined;
  /** Those that a sign-in may ask for, separated by commas. */
  readonly sessionModes?: string | undefined;
  /** Shorter than its 5 minutes for tests alone. */
  readonly accessTokenLifetimeMs?: number | undefined;
  /** sqlite unless told; postgres: our own server (native) or somebody else's (external). */
  readonly database?: Database | undefined;
  readonly external?: ExternalUrls | undefined;
  /** Of native: see StackRequest in harness.ts. */
  readonly storageUrls?: StorageDetours | undefined;
}

export interface ExternalUrls {
  readonly kafkaBrokers: string;
  readonly sessionRedisUrl: string;
  readonly cartRedisUrl: string;
  readonly databaseUrls?: Readonly<Record<DatabaseOwner, string>> | undefined;
  /** Asked for by SEED_ACCOUNTS=true: a database that somebody keeps gets no accounts with a published password unasked. */
  readonly seedAccounts?: boolean | undefined;
}

/** Names in the certificates of the mesh. */
export const meshNames: readonly AppName[] = ['gateway', 'auth', 'cart', 'profile', 'catalog', 'orders'];

export interface StorageUrls {
  readonly KAFKA_BROKERS: string;
  readonly SESSION_REDIS_URL: string;
  readonly CART_REDIS_URL: string;
}

export type StorageDetours = Readonly<Partial<StorageUrls>>;

export type Env = Readonly<Record<string, string>>;
