export * from './redis/redis.ts';
export * from './redis/redis.cluster.ts';
