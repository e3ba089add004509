/**
 * `npm run bench -- login-storm`: how much a storm of sign-ins slows people who are signed in already and only ask for their identity. auth
 * runs as a separate process. Quiet and stormy windows follow each other in one run, and only their ratio is a result.
 *
 * The attackers send far more than the hashing can take, each from another network to another account. So no counter stops them: only the
 * bound on hashing can.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AuthService, isProblem } from '@cloakroom/contracts';
import { connectMesh, type MeshClient } from '@cloakroom/mesh';
import { createLogger, startTrace } from '@cloakroom/platform';
import { repository } from '../../../infra/stack/folders.ts';
import { quantile } from '../measuring/statistics.ts';

export interface Window {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface StormPair {
  readonly quiet: Window;
  readonly storm: Window & { readonly looked: number; readonly shed: number };
}

/** As many requests as a busy gateway has in flight to auth. */
const askers = 8;
const attackers = 64;
/** Fifty times faster than Retry-After asks for. */
const attackPauseMs = 20;
const warmUpMs = 1_000;
const readyTimeoutMs = 90_000;
/** Below the ports that the system gives away by itself: one of those may be given to another process before auth listens. */
const [port, adminPort] = [26_490, 26_491];

type Auth = MeshClient<typeof AuthService>;

export async function benchLoginStorm(options: { readonly pairs: number; readonly seconds: number }): Promise<StormPair[]> {
  const auth = await startAuth();
  const mesh = connectMesh(AuthService, { address: auth.address, tls: undefined, log: createLogger('bench', 'silent') });
  try {
    const guest = await mesh.client.createGuest(call(), { device: { label: 'bench' } });
    if (isProblem(guest)) throw new Error(guest.problem);
    await resolves(mesh.client, guest.token, warmUpMs);
    const pairs: StormPair[] = [];
    for (let pair = 0; pair < options.pairs; pair++) {
      const quiet = await resolves(mesh.client, guest.token, options.seconds * 1_000);
      const storm = beginStorm(mesh.client);
      const stormy = await resolves(mesh.client, guest.token, options.seconds * 1_000);
      pairs.push({ quiet, storm: { ...stormy, ...(await storm.end()) } });
    }
    return pairs;
  } finally {
    mesh.close();
    await auth.stop();
  }
}

/** The usual process, in memory, without counters that would stop the guests. */
async function startAuth(): Promise<{ readonly address: string; stop(): Promise<void> }> {
  const unlimited = '100000000';
  const env = {
    PATH: process.env['PATH'],
    SERVICE_NAME: 'auth',
    REPLICA: '1',
    LISTEN_PORT: String(port),
    ADMIN_PORT: String(adminPort),
    LOG_LEVEL: 'silent',
    MESH_TLS: 'off',
    EVENT_LOG: 'embedded',
    SESSION_STORE: 'memory',
    DATABASE_URL: 'sqlite::memory:',
    SESSION_MAC_KEY: newKey(),
    REFRESH_TOKEN_KEY: newKey(),
    KEY_ENCRYPTION_KEY: newKey(),
    GUEST_LIMIT_PER_HOUR: unlimited,
    GUEST_LIMIT_PER_HOUR_IN_ALL: unlimited,
  };
  const child = spawn(process.execPath, [join(repository, 'apps/auth/dist/main.js')], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = once(child, 'exit');
  const endMs = performance.now() + readyTimeoutMs;
  while (!(await isReady(adminPort))) {
    if (child.exitCode !== null || performance.now() > endMs) throw new Error('auth did not start; is it built?');
    await delay(50);
  }
  return {
    address: `127.0.0.1:${port}`,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

const isReady = (adminPort: number): Promise<boolean> =>
  fetch(`http://127.0.0.1:${adminPort}/readyz`).then(
    (answer) => answer.ok,
    () => false,
  );

const newKey = (): string => randomBytes(32).toString('base64url');
const call = () => ({ budgetMs: 5_000, trace: startTrace(randomBytes) });

async function resolves(auth: Auth, token: string, durationMs: number): Promise<Window> {
  const endMs = performance.now() + durationMs;
  const took: number[] = [];
  const ask = async (): Promise<void> => {
    while (performance.now() < endMs) {
      const startedMs = performance.now();
      const answer = await auth.resolve(call(), { token, audience: 'cart', touch: true });
      if (isProblem(answer)) throw new Error(`resolve failed: ${answer.problem}`);
      took.push(performance.now() - startedMs);
    }
  };
  await Promise.all(Array.from({ length: askers }, ask));
  return { perSecond: took.length / (durationMs / 1_000), p50Ms: quantile(took, 0.5), p99Ms: quantile(took, 0.99) };
}

function beginStorm(auth: Auth): { end(): Promise<{ looked: number; shed: number }> } {
  let over = false;
  const told = { looked: 0, shed: 0 };
  const attack = async (): Promise<void> => {
    while (!over) {
      const id = randomBytes(8);
      const answer = await auth.login(call(), {
        email: `${id.toString('hex')}@example.com`,
        password: 'wrong password',
        remoteAddress: `2001:db8:${id.readUInt16BE(0).toString(16)}:${id.readUInt16BE(2).toString(16)}::1`,
      });
      if (isProblem(answer) && answer.problem === 'invalid_credentials') told.looked++;
      else told.shed++;
      await delay(attackPauseMs);
    }
  };
  const all = Array.from({ length: attackers }, attack);
  return {
    end: async () => {
      over = true;
      await Promise.all(all);
      return told;
    },
  };
}
