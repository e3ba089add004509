export * from './process-life.ts';
export * from './admin.ts';
export * from './readiness.ts';
export { DatabaseUnavailable } from './database/database.unavailable.ts';
