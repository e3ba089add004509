export * from './clock.ts';
export * from './context.ts';
export * from './event-log.ts';
export * from './identity.ts';
