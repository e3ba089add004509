import { tokenModeNames } from '@cloakroom/contracts';
import { accessTokenLifetimeMaxS } from '@cloakroom/identity';
import {
  adminConfig,
  areOthers,
  commaList,
  databaseConfig,
  eventLogConfig,
  flag,
  meshConfig,
  processConfig,
  readEnvironment,
  regionIsOwn,
  regionsConfig,
} from '@cloakroom/platform';
import { readMacKeys, sessionLayouts } from '@cloakroom/session';
import { z } from 'zod';
import { throttleLimits } from './throttle/throttle.ts';
import { areLocal, relyingParty } from './factors/relying-party.ts';
import { openSealer } from './tokens/sealed.ts';

const mode = z.enum(tokenModeNames);

/** base64url, at least 32 bytes each; several, separated by commas, while a key is being replaced. */
const sealingKeys = z.string().transform((text, context) => {
  try {
    return readMacKeys(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
    return z.NEVER;
  }
});

const count = z.coerce.number().int().min(1).max(100_000_000);
/** A higher limit of guesses at one account in 15 minutes would be no limit. */
const accountFailuresMax = 100;

const schema = z
  .object({
    ...processConfig,
    ...adminConfig,
    ...meshConfig,
    ...regionsConfig,
    ...eventLogConfig,
    ...databaseConfig,
    SESSION_STORE: z.enum(['redis', 'file', 'memory']).default('redis'),
    SESSION_REDIS_URL: z.string().optional(),
    /** The layout of new keys in Redis. `hash` is for an upgrade alone: docs/deploy.md. */
    SESSION_LAYOUT: z.enum(sessionLayouts).default('packed'),
    /** The file in which the one process of mode `file` keeps its sessions. */
    SESSION_FILE: z.string().min(1).optional(),
    SESSION_MAC_KEY: sealingKeys,
    /** Only auth has this key. It seals the tokens that renew a session in the modes jwt and jwt-denylist. */
    REFRESH_TOKEN_KEY: sealingKeys,
    /** How long a revoked session lives on in mode jwt. Only tests make it shorter, since each refresh is a call to auth. */
    ACCESS_TOKEN_LIFETIME_MS: z.coerce
      .number()
      .int()
      .min(2_000)
      .max(accessTokenLifetimeMaxS * 1000)
      .default(accessTokenLifetimeMaxS * 1000),
    /** base64url of 32 bytes; several, separated by commas, while a key is being replaced (sealed.ts). */
    KEY_ENCRYPTION_KEY: z.string().transform((text, context) => {
      try {
        return openSealer(text);
      } catch (error) {
        context.addIssue({ code: 'custom', message: (error as Error).message });
        return z.NEVER;
      }
    }),
    SESSION_MODE: mode.default('hybrid'),
    SESSION_MODES: z
      .string()
      .default('reference,hybrid')
      .transform((text) => text.split(',').map((each) => each.trim()))
      .pipe(z.array(mode).min(1)),
    /** The shop's origins, as the gateway has them. Passkeys are made for the first host that is a name, and accepted at its origins alone. */
    PUBLIC_ORIGINS: commaList.prefault('http://localhost:4000').transform((origins, context) => {
      try {
        return { ...relyingParty(origins), local: areLocal(origins) };
      } catch (error) {
        context.addIssue({ code: 'custom', message: (error as Error).message });
        return z.NEVER;
      }
    }),
    /** Makes the demo accounts, whose password is in the README. Refused where PUBLIC_ORIGINS names more than this machine (seed-accounts.ts). */
    SEED_ACCOUNTS: flag.default(false),
    /** Failed proofs of one account, and from one address, in 15 minutes. docs/overload.md has every bound with its reason. */
    ACCOUNT_FAILURE_LIMIT_PER_15_MIN: count.max(accountFailuresMax).default(throttleLimits.accountFailures),
    ADDRESS_FAILURE_LIMIT_PER_15_MIN: count.default(throttleLimits.addressFailures),
    /** Accounts made, and guest sessions begun, from one address in an hour; and guests from all. */
    REGISTRATION_LIMIT_PER_HOUR: count.default(throttleLimits.registrationsPerHour),
    GUEST_LIMIT_PER_HOUR: count.default(throttleLimits.guestsPerHour),
    GUEST_LIMIT_PER_HOUR_IN_ALL: count.default(throttleLimits.guestsPerHourInAll),
  })
  .refine(areOthers, regionIsOwn)
  .superRefine((config, context) => {
    if (config.SESSION_STORE === 'redis' && config.SESSION_REDIS_URL === undefined)
      context.addIssue({ code: 'custom', path: ['SESSION_REDIS_URL'], message: 'is needed with SESSION_STORE=redis' });
    if ((config.SESSION_STORE === 'file') !== (config.SESSION_FILE !== undefined))
      context.addIssue({ code: 'custom', path: ['SESSION_FILE'], message: 'must be set with SESSION_STORE=file, and only then' });
    if (!config.SESSION_MODES.includes(config.SESSION_MODE))
      context.addIssue({ code: 'custom', path: ['SESSION_MODE'], message: 'must be one of SESSION_MODES' });
    if (config.SEED_ACCOUNTS && !config.PUBLIC_ORIGINS.local)
      context.addIssue({
        code: 'custom',
        path: ['SEED_ACCOUNTS'],
        message: 'the password of the demo accounts is public: PUBLIC_ORIGINS may name only this machine (localhost, 127.0.0.1)',
      });
    if (config.OTHER_REGIONS.length > 1)
      context.addIssue({
        code: 'custom',
        path: ['OTHER_REGIONS'],
        message: 'may name one region: whoever has no account here is asked for there',
      });
    // If the wider bound were lower than the narrower one, it would decide alone, and one caller could use it up.
    const bounds = [
      ['ACCOUNT_FAILURE_LIMIT_PER_15_MIN', 'ADDRESS_FAILURE_LIMIT_PER_15_MIN'],
      ['GUEST_LIMIT_PER_HOUR', 'GUEST_LIMIT_PER_HOUR_IN_ALL'],
    ] as const;
    for (const [narrow, wide] of bounds)
      if (config[wide] < config[narrow]) context.addIssue({ code: 'custom', path: [wide], message: `must not be below ${narrow}` });
    if (config.EVENT_LOG === 'kafka' && config.KAFKA_BROKERS === undefined)
      context.addIssue({ code: 'custom', path: ['KAFKA_BROKERS'], message: 'is needed with EVENT_LOG=kafka' });
    if (config.MESH_TLS === 'mutual' && config.TLS_DIR === '')
      context.addIssue({ code: 'custom', path: ['TLS_DIR'], message: 'is needed with MESH_TLS=mutual' });
  });

/** Only auth's own database, since admin.main.ts needs nothing else. */
const adminSchema = z.object(databaseConfig);

export type AdminConfig = z.output<typeof adminSchema>;

export const readAdminConfig = (env: NodeJS.ProcessEnv = process.env): AdminConfig => readEnvironment(adminSchema, env);

export type AuthConfig = z.output<typeof schema>;

export const readConfig = (env: NodeJS.ProcessEnv = process.env): AuthConfig => readEnvironment(schema, env);
