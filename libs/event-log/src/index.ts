export * from './event-log.ts';
export * from './event-log.open.ts';
export * from './event-log.embedded.ts';
export { copyEmbeddedLog } from './event-log.embedded.file.ts';
export * from './event-log.traces.ts';
export { heldBack } from './event-log.faults.ts';
export * from './event-log.readiness.ts';
export { groupLabel } from './event-log.metrics.ts';
export * from './outbox-relay.ts';
