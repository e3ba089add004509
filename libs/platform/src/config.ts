/** Configuration from the environment: one schema a process, and every violation reported at once. No other code reads the environment. */
import { z } from 'zod';
import { onlyRegion } from './provider.ts';
import type { TelemetryConfig } from './trace.ts';

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * @throws ConfigError naming every variable that is missing or wrong, never its value: it may be a secret
 */
export function readEnvironment<Schema extends z.ZodType>(schema: Schema, env: NodeJS.ProcessEnv): z.output<Schema> {
  const result = schema.safeParse(env);
  if (result.success) return result.data;
  const lines = result.error.issues.map((issue) => `  ${issue.path.join('.') || '(environment)'}: ${issue.message}`);
  throw new ConfigError(`The environment is not valid. See .env.example.\n${lines.join('\n')}`);
}

const port = z.coerce.number().int().min(0).max(65535);
export const flag = z.enum(['true', 'false']).transform((text) => text === 'true');
export const commaList = z
  .string()
  .transform((text) =>
    text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  )
  .pipe(z.array(z.string()).min(1));
/** host:port; several replicas are separated by commas */
export const address = z.string().regex(/^[^:/\s,]+:\d{1,5}(,[^:/\s,]+:\d{1,5})*$/, 'must be host:port, several separated by commas');

/** Standard names of OpenTelemetry. Without an endpoint no trace is made and nothing of it is loaded (docs/telemetry.md). */
export const telemetryConfig = {
  /** The URL of a collector that takes OTLP over HTTP: http://localhost:4318 */
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .literal('')
    .transform(() => undefined)
    .or(z.url({ protocol: /^https?$/ }))
    .optional(),
  /** Part of the traces that begin here, 0 to 1. */
  OTEL_TRACES_SAMPLER_ARG: z.coerce.number().min(0).max(1).default(1),
  /** The Observatory of this start. It is told who acts, so it must run on this machine. `npm start` sets both. */
  OBSERVATORY_URL: z
    .literal('')
    .transform(() => undefined)
    .or(z.url({ protocol: /^http$/, hostname: /^(localhost|127\.0\.0\.1|\[::1\])$/ }))
    .optional(),
  /** Without it the Observatory takes no spans. */
  OBSERVATORY_SPAN_KEY: z.string().max(256).optional(),
};

/** For a process that has no schema of its own (embedded). @throws ConfigError */
export const readTelemetry = (env: NodeJS.ProcessEnv): TelemetryConfig => readEnvironment(z.object(telemetryConfig), env);

/** Every process of ours needs these. */
export const processConfig = {
  ...telemetryConfig,
  REPLICA: z.string().min(1).max(64),
  REGION: z
    .string()
    .regex(/^[a-z0-9-]{1,16}$/)
    .default(onlyRegion),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  /** Loopback, unless the operator sets another address. */
  HOST: z.string().default('127.0.0.1'),
  LISTEN_PORT: port,
  PROVIDER: z.enum(['native', 'embedded', 'external', 'docker']).default('external'),
};

export const adminConfig = { ADMIN_PORT: port };

/** Another region whose sessions this process accepts, and where the auth of that region is reached from here. */
export interface OtherRegion {
  readonly region: string;
  readonly authAddress: string;
}

const otherRegion = /^[a-z0-9-]{1,16}=[^:=/\s,;]+:\d{1,5}(,[^:=/\s,;]+:\d{1,5})*$/;

/** "us=localhost:4458"; several regions are separated by semicolons, and replicas by commas. */
export const addressByRegion = z
  .string()
  .default('')
  .transform((text) => text.split(';').filter((part) => part !== ''))
  .refine((parts) => parts.every((part) => otherRegion.test(part)), 'must be region=host:port, several separated by semicolons')
  .transform((parts) => parts.map((part) => part.split('=') as [region: string, address: string]))
  .refine((regions) => new Set(regions.map(([region]) => region)).size === regions.length, 'names a region twice');

/** For a process that judges identity. */
export const regionsConfig = {
  /** Empty with one region. */
  OTHER_REGIONS: addressByRegion.transform((regions) => regions.map(([region, authAddress]): OtherRegion => ({ region, authAddress }))),
};

/** Two regions of one name would take each other's sessions and accounts for their own. */
export const areOthers = ({
  REGION,
  OTHER_REGIONS,
}: {
  readonly REGION: string;
  readonly OTHER_REGIONS: readonly OtherRegion[];
}): boolean => OTHER_REGIONS.every(({ region }) => region !== REGION);

export const regionIsOwn = { path: ['OTHER_REGIONS'], message: 'must not name REGION itself' };

/** For a process that reads profiles. */
export const profilesAbroadConfig = {
  /** Where the profile service of each other region is reached from here. */
  PROFILE_ABROAD: addressByRegion.transform((regions) => regions.map(([region, address]) => ({ region, address }))),
};

type Regions = z.output<z.ZodObject<typeof regionsConfig & typeof profilesAbroadConfig>>;

/** Whether each of the other regions has a profile service. */
export const haveProfiles = ({ OTHER_REGIONS, PROFILE_ABROAD }: Regions): boolean =>
  OTHER_REGIONS.every(({ region }) => PROFILE_ABROAD.some((profiles) => profiles.region === region));

export const profileIsMissing = { path: ['PROFILE_ABROAD'], message: 'must name each region of OTHER_REGIONS' };

export const meshConfig = {
  MESH_TLS: z.enum(['mutual', 'off']).default('mutual'),
  TLS_DIR: z.string().default(''),
};

export const eventLogConfig = {
  EVENT_LOG: z.enum(['kafka', 'embedded']).default('kafka'),
  KAFKA_BROKERS: commaList.optional(),
  /** Replicas of topics made here; the broker's own default without it. From 3 on, writes wait for all copies but one (`min.insync.replicas`). */
  KAFKA_REPLICATION_FACTOR: z.coerce.number().int().min(1).max(9).optional(),
  EVENT_LOG_FILE: z.string().optional(),
};

export const databaseConfig = {
  /** sqlite:<file>, sqlite::memory: or postgres://user@host:port/database; each service has its own. */
  DATABASE_URL: z
    .string()
    .regex(/^(sqlite:.+|postgres(ql)?:\/\/.+)/, 'must be sqlite:<file>, sqlite::memory: or postgres://user@host:port/database')
    .refine((url) => url.startsWith('sqlite:') || URL.canParse(url), 'is not a URL: percent-encode what is special in user and password'),
  /** The password for a postgres URL without one, so that the URL is no secret. */
  DATABASE_PASSWORD: z.string().min(1).optional(),
};
