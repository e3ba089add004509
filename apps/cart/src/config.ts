import { address, adminConfig, eventLogConfig, meshConfig, processConfig, readEnvironment } from '@cloakroom/platform';
import { z } from 'zod';

const schema = z
  .object({
    ...processConfig,
    ...adminConfig,
    ...meshConfig,
    ...eventLogConfig,
    AUTH_ADDRESS: address,
    CART_VIEW: z.enum(['redis', 'memory']).default('redis'),
    CART_REDIS_URL: z.url({ protocol: /^rediss?$/ }).optional(),
  })
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
