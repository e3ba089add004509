import { adminConfig, databaseConfig, meshConfig, processConfig, readEnvironment } from '@cloakroom/platform';
import { z } from 'zod';

const schema = z.object({ ...processConfig, ...adminConfig, ...meshConfig, ...databaseConfig });

export type CatalogConfig = z.output<typeof schema>;

export const readConfig = (env: NodeJS.ProcessEnv = process.env): CatalogConfig => readEnvironment(schema, env);
