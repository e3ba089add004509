/** The Observatory's configuration: one schema, every violation reported at once. The only reader of process.env here. */
import { readEnvironment } from '@cloakroom/platform/process-life';
import { z } from 'zod';

/** 32 random bytes, as the supervisor makes them at each start. */
const key = z.string().regex(/^[A-Za-z0-9_-]{43,}$/, 'must be base64url of 32 bytes or more');

const schema = z.object({
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  LISTEN_PORT: z.coerce.number().int().min(0).max(65_535),
  /** The page shows it with every question. */
  OBSERVATORY_PAGE_KEY: key,
  /** The services show it with their spans. It opens nothing else. */
  OBSERVATORY_SPAN_KEY: key,
  /** The built page. */
  OBSERVATORY_WEB_DIR: z.string().default(''),
  /** Cart's program that reads the log of one cart, and where that log is: brokers, or the file of embedded. */
  CART_HISTORY_PROGRAM: z.string().default(''),
  KAFKA_BROKERS: z.string().default(''),
  EVENT_LOG_FILE: z.string().default(''),
  /** With two regions: the environment of that program for each, as JSON. */
  CART_LOGS: z
    .string()
    .default('{}')
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text);
      } catch {
        context.addIssue('must be JSON');
        return z.NEVER;
      }
    })
    .pipe(z.record(z.string(), z.record(z.string(), z.string()))),
  /** The labs of a development checkout; '' where there are none. */
  LABS_DIR: z.string().default(''),
  /** Where a person's own results and predictions are kept; '' where the labs keep them by themselves. */
  LABS_KEPT_DIR: z.string().default(''),
  /** The parts of the shop that the forger talks to; without them it tries nothing. */
  SHOP_URL: z.literal('').or(z.url()).default(''),
  AUTH_ADDRESS: z.string().default(''),
  CART_ADDRESS: z.string().default(''),
  PROFILE_ADDRESS: z.string().default(''),
  /** The door of the ocean between two regions, and its key; '' where there is one region. */
  OCEAN_URL: z.literal('').or(z.url()).default(''),
  OCEAN_KEY: z.string().default(''),
  /** The folder with the certificate `developer`; '' in embedded, where a file holds the developer's secret of this start. */
  TLS_DIR: z.string().default(''),
  DEVELOPER_SECRET_FILE: z.string().default(''),
});

export interface ObservatoryConfig extends z.output<typeof schema> {
  /** The rest of the environment, which names folders of the machine: for labs, which are told none of the keys above. */
  readonly ambient: Readonly<Record<string, string>>;
}

/** Each child of the supervisor runs as in production. A lab starts as in a terminal. */
const notForLabs: ReadonlySet<string> = new Set(['NODE_ENV', ...Object.keys(schema.shape)]);

export function readConfig(env: NodeJS.ProcessEnv = process.env): ObservatoryConfig {
  const ambient = Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined || notForLabs.has(name) ? [] : [[name, value]])),
  );
  return { ...readEnvironment(schema, env), ambient };
}
