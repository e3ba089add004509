export * from './session-store.contract.ts';
export { hashNamed, t0 as sampleTimeMs, tombstoneOf, userSession } from './session-store.samples.ts';
export type { MakeSessionStore, SessionStoreUnderTest } from './session-store.samples.ts';
export * from './event-log.contract.ts';
export * from './tcp-proxy.ts';
export * from './fresh-database.ts';
export * from './redis-cluster.kit.ts';
export * from './timing-difference.ts';
export * from './history.ts';
