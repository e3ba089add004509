/** The platform without a database, Redis and metrics. A process that has none of them takes 16 MB less (decision 0031). */
export * from './clock.ts';
export * from './config.ts';
export * from './faults.ts';
export * from './log.ts';
export * from './network.ts';
export * from './observatory-keys.ts';
export * from './observe.ts';
export * from './page-files.ts';
export * from './process.ts';
export * from './provider.ts';
export * from './readiness.words.ts';
export * from './trace.ts';
