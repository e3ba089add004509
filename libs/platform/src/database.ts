export * from './database/database.ts';
export type { DatabaseOptions } from './database/database.postgres.ts';
export { queueAfterFaults } from './database/database.faults.ts';
export * from './database/database.lease.ts';
