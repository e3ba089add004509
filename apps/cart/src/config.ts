import {
  address,
  adminConfig,
  areOthers,
  commaList,
  eventLogConfig,
  meshConfig,
  processConfig,
  readEnvironment,
  regionIsOwn,
  regionsConfig,
} from '@cloakroom/platform';
import { isClusterUrl } from '@cloakroom/platform/redis';
import { z } from 'zod';

/** The address of a cluster names several hosts, which a URL cannot. */
const redisUrl = z.union([z.url({ protocol: /^rediss?$/ }), z.string().refine(isClusterUrl)]);

const schema = z
  .object({
    ...processConfig,
    ...adminConfig,
    ...meshConfig,
    ...regionsConfig,
    ...eventLogConfig,
    AUTH_ADDRESS: address,
    CART_VIEW: z.enum(['redis', 'memory']).default('redis'),
    CART_REDIS_URL: redisUrl.optional(),
  })
  .refine(areOthers, regionIsOwn)
  .refine((env) => env.CART_VIEW === 'memory' || env.CART_REDIS_URL !== undefined, {
    path: ['CART_REDIS_URL'],
    message: 'is needed with CART_VIEW=redis',
  })
  .refine((env) => env.EVENT_LOG === 'embedded' || env.KAFKA_BROKERS !== undefined, {
    path: ['KAFKA_BROKERS'],
    message: 'is needed with EVENT_LOG=kafka',
  })
  .refine((env) => env.MESH_TLS === 'off' || env.TLS_DIR !== '', { path: ['TLS_DIR'], message: 'is needed with MESH_TLS=mutual' });

export type CartConfig = z.output<typeof schema>;

export const readConfig = (env: NodeJS.ProcessEnv = process.env): CartConfig => readEnvironment(schema, env);

/** For redrive.main.ts and replay.main.ts, which serve no requests: they need only the log and the view. */
const redriveSchema = z
  .object({
    EVENT_LOG: z.literal('kafka', 'the embedded log lives in another process: kafka').default('kafka'),
    KAFKA_BROKERS: commaList,
    CART_VIEW: z.literal('redis', 'the view in memory lives in another process: redis').default('redis'),
    CART_REDIS_URL: redisUrl,
    REGION: processConfig.REGION,
    ...regionsConfig,
    LOG_LEVEL: processConfig.LOG_LEVEL.unwrap().default('error'),
  })
  .refine(areOthers, regionIsOwn);

export type RedriveConfig = z.output<typeof redriveSchema>;

export const readRedriveConfig = (env: NodeJS.ProcessEnv = process.env): RedriveConfig => readEnvironment(redriveSchema, env);

/** For history.main.ts: one log or the other, from its arguments or else from the environment, and there the copies beside it. */
const historySchema = z
  .object({
    KAFKA_BROKERS: commaList.optional(),
    EVENT_LOG_FILE: z.string().min(1).optional(),
    REGION: processConfig.REGION,
    ...regionsConfig,
    LOG_LEVEL: processConfig.LOG_LEVEL.unwrap().default('error'),
  })
  .refine(areOthers, regionIsOwn)
  .refine((env) => env.KAFKA_BROKERS !== undefined || env.EVENT_LOG_FILE !== undefined, {
    path: ['KAFKA_BROKERS'],
    message: 'is needed, as --brokers or in the environment; or --log-file of an embedded shop',
  });

export type HistoryConfig = z.output<typeof historySchema>;

export function readHistoryConfig(told: Readonly<Record<string, string | undefined>>, env: NodeJS.ProcessEnv = process.env): HistoryConfig {
  const given = Object.entries(told).filter(([, value]) => value !== undefined);
  // An argument that names a log rules out the log of the environment.
  return readEnvironment(historySchema, given.length > 0 ? { ...Object.fromEntries(given), LOG_LEVEL: env['LOG_LEVEL'] } : env);
}
