/** Chooses the infrastructure of a run: the one asked for, or the best that this machine has or can get. */
import { findDocker } from './docker.ts';
import type { Docker } from './docker.ts';
import type { Say } from '../native/debian.ts';
import { obtainKafka } from '../native/kafka.ts';
import type { Kafka } from '../native/kafka.ts';
import { obtainMirror } from '../native/mirror.ts';
import type { Mirror } from '../native/mirror.ts';
import { obtainRedis } from '../native/redis.ts';
import { orStackError, StackError } from '../stack/outcome.ts';
import type { ExternalUrls, Profile, Provider } from '../stack/stack.ts';
import { databaseOwners } from '../stack/stack.spec.ts';
import type { DatabaseOwner } from '../stack/stack.spec.ts';

export const providers = ['auto', 'native', 'docker', 'embedded', 'external'] as const;
export type ProviderChoice = (typeof providers)[number];

export interface NativeTools {
  readonly redis: string;
  readonly kafka: Kafka;
  /** Only for two regions. */
  readonly mirror?: Mirror;
}

export interface Chosen {
  readonly provider: Provider;
  readonly tools?: NativeTools;
  readonly docker?: Docker;
  readonly external?: ExternalUrls;
  /** The reason for this provider, and how to get the others. */
  readonly why: string;
}

export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly toolsDir: string;
  readonly say: Say;
}

/** @throws StackError when the provider asked for is unavailable; never for auto */
export async function chooseProvider(choice: ProviderChoice, around: Surroundings): Promise<Chosen> {
  if (choice === 'embedded') return { provider: 'embedded', why: 'asked for' };
  if (choice === 'external') {
    const external = readExternal(around.env);
    if (external.urls !== undefined) return { provider: 'external', external: external.urls, why: 'asked for' };
    throw new StackError(`external needs ${external.missing.join(', ')}`, 'set them in the environment: see .env.example');
  }
  if (choice === 'native') {
    const native = await obtainNative(around);
    if ('tools' in native) return { provider: 'native', tools: native.tools, why: 'asked for' };
    throw new StackError(native.why, native.remedy);
  }
  if (choice === 'docker') {
    const docker = await findDocker();
    if (docker.ok) return { provider: 'docker', docker: docker.value, why: 'asked for' };
    throw new StackError(docker.why, docker.remedy);
  }
  return chooseBest(around);
}

async function chooseBest(around: Surroundings): Promise<Chosen> {
  const external = readExternal(around.env);
  if (external.urls !== undefined) {
    return {
      provider: 'external',
      external: external.urls,
      why: 'KAFKA_BROKERS, SESSION_REDIS_URL and CART_REDIS_URL are set (others: --infra native, --infra embedded)',
    };
  }
  if (external.some) around.say(`not external: ${external.missing.join(', ')} not set`);
  const native = await obtainNative(around);
  if ('tools' in native) {
    return {
      provider: 'native',
      tools: native.tools,
      why: 'Redis, Java and Kafka are here (others: --infra embedded; external by URLs, see .env.example)',
    };
  }
  const docker = await findDocker();
  if (docker.ok) {
    const why = `${native.why}, and a Docker engine answers (others: --infra native after ${native.remedy}; --infra embedded)`;
    return { provider: 'docker', docker: docker.value, why };
  }
  around.say(`not docker: ${docker.why}`);
  return { provider: 'embedded', why: `${native.why}; for native: ${native.remedy}; for external: set the URLs of .env.example` };
}

/** A failed install ends here as one line, never as an exception: auto goes on to the next provider. */
export async function obtainNative({ toolsDir, say }: Surroundings): Promise<{ tools: NativeTools } | { why: string; remedy: string }> {
  const [redis, kafka] = [await obtainRedis(toolsDir, say), await obtainKafka(toolsDir, say)];
  if (!redis.ok) return redis;
  if (!kafka.ok) return kafka;
  return { tools: { redis: redis.value, kafka: kafka.value } };
}

/** Adds to what was chosen what the profile needs beyond it. @throws StackError where it cannot be had */
export async function completeFor(profile: Profile, chosen: Chosen, { toolsDir, say }: Surroundings): Promise<Chosen> {
  if (profile !== 'regions') return chosen;
  if (chosen.tools === undefined)
    throw new StackError(`${chosen.provider} has no two regions (${chosen.why})`, 'npm start -- --infra native --profile regions');
  return { ...chosen, tools: { ...chosen.tools, mirror: orStackError(await obtainMirror(toolsDir, say)) } };
}

const externalNames = ['KAFKA_BROKERS', 'SESSION_REDIS_URL', 'CART_REDIS_URL'] as const;

function readExternal(env: NodeJS.ProcessEnv) {
  const missing = externalNames.filter((name) => (env[name] ?? '') === '');
  const { KAFKA_BROKERS: kafkaBrokers = '', SESSION_REDIS_URL: sessionRedisUrl = '', CART_REDIS_URL: cartRedisUrl = '' } = env;
  return {
    missing,
    some: missing.length < externalNames.length,
    urls:
      missing.length === 0
        ? {
            kafkaBrokers,
            sessionRedisUrl,
            cartRedisUrl,
            databaseUrls: readDatabaseUrls(env),
            seedAccounts: env['SEED_ACCOUNTS'] === 'true',
          }
        : undefined,
  };
}

/**
 * Reads DATABASE_URL_AUTH and so on. Where one is missing, DATABASE_URL counts, with the service's name as the database.
 * @returns undefined when there are none, or not for all: the services then keep SQLite
 */
export function readDatabaseUrls(env: NodeJS.ProcessEnv): Record<DatabaseOwner, string> | undefined {
  const base = env['DATABASE_URL'] ?? '';
  const urls = databaseOwners.map((name): [string, string] => [
    name,
    env[`DATABASE_URL_${name.toUpperCase()}`] || withDatabase(base, name),
  ]);
  return urls.every(([, url]) => url !== '') ? (Object.fromEntries(urls) as Record<DatabaseOwner, string>) : undefined;
}

function withDatabase(base: string, name: string): string {
  if (!/^postgres(ql)?:/.test(base) || !URL.canParse(base)) return '';
  const url = new URL(base);
  url.pathname = `/${name}`;
  return url.href;
}
