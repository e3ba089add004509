import {
  address,
  addressByRegion,
  adminConfig,
  areOthers,
  databaseConfig,
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
    ...databaseConfig,
    AUTH_ADDRESS: address,
    /** The region that decides about all stock, with its catalog as it is reached from here. Empty: this catalog decides. */
    STOCK_DECIDER: addressByRegion
      .refine((regions) => regions.length <= 1, 'names one region at most')
      .transform(([decider]) => decider && { region: decider[0], address: decider[1] }),
  })
  .refine(areOthers, regionIsOwn)
  .superRefine((config, context) => {
    if (config.MESH_TLS === 'mutual' && config.TLS_DIR === '')
      context.addIssue({ code: 'custom', path: ['TLS_DIR'], message: 'is needed with MESH_TLS=mutual' });
  });

export type CatalogConfig = z.output<typeof schema>;

export const readConfig = (env: NodeJS.ProcessEnv = process.env): CatalogConfig => readEnvironment(schema, env);
