import {
  address,
  adminConfig,
  areOthers,
  databaseConfig,
  eventLogConfig,
  meshConfig,
  processConfig,
  readEnvironment,
  regionIsOwn,
  regionsConfig,
} from '@cloakroom/platform';
import { z } from 'zod';

const schema = z
  .object({
    ...processConfig,
    ...adminConfig,
    ...meshConfig,
    ...regionsConfig,
    ...eventLogConfig,
    ...databaseConfig,
    AUTH_ADDRESS: address,
    CART_ADDRESS: address,
    CATALOG_ADDRESS: address,
    PROFILE_ADDRESS: address,
  })
  .refine(areOthers, regionIsOwn)
  .superRefine((config, context) => {
    if (config.EVENT_LOG === 'kafka' && config.KAFKA_BROKERS === undefined)
      context.addIssue({ code: 'custom', path: ['KAFKA_BROKERS'], message: 'is needed with EVENT_LOG=kafka' });
    if (config.MESH_TLS === 'mutual' && config.TLS_DIR === '')
      context.addIssue({ code: 'custom', path: ['TLS_DIR'], message: 'is needed with MESH_TLS=mutual' });
  });

export type OrdersConfig = z.output<typeof schema>;

export const readConfig = (env: NodeJS.ProcessEnv = process.env): OrdersConfig => readEnvironment(schema, env);
