export * from './session.store.ts';
export * from './session.limits.ts';
export * from './session.record.ts';
export * from './session.store.memory.ts';
export * from './token.ts';
export * from './session.ts';
export * from './session.store.redis.ts';
export * from './known-device.ts';
