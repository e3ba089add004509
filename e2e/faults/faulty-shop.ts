/** A shop with an Observatory, of its own: tests of faults break what all other tests share. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from '@playwright/test';
import type { FaultName, FaultOn, FaultsView, FaultWanted } from '@cloakroom/contracts';
import { type RunningStack, startStack, testBases } from '@cloakroom/infra';
import { plain, posted, type PlainAnswer, sessionCookieOf, tokenIn } from '../kit/raw.ts';
import { newPerson } from '../kit/device.ts';
import { e2eProvider } from '../kit/stack.ts';

const base = testBases[`e2e-${e2eProvider as 'embedded' | 'native'}-faults`];
const dataDir = join(import.meta.dirname, '..', '..', '.cloakroom', `e2e-faults-${e2eProvider}`);

export interface Asked {
  readonly trainee?: string;
  readonly gateway?: 0 | 1;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface FaultyShop {
  /** Asks as a person whose browser has the trainee's cookie. */
  ask(token: string | undefined, path: string, asked?: Asked): Promise<PlainAnswer>;
  /** @returns the session of a person that has just registered, at the first gateway */
  register(): Promise<string>;
  on(name: FaultName, wanted: FaultWanted): Promise<FaultOn>;
  off(): Promise<void>;
  /** `npm run fault -- ...` */
  command(...args: string[]): Promise<string>;
  signalObservatory(signal: NodeJS.Signals): void;
  observatoryPid(): number | undefined;
  stop(): Promise<void>;
}

/** A switch reaches each process within a long poll; this covers a crowded machine. */
export const soon = { timeout: 10_000, intervals: [50] };

export async function openFaultyShop(): Promise<FaultyShop> {
  const limits = { SIGN_IN_LIMIT_PER_MINUTE: '600', REGISTRATION_LIMIT_PER_HOUR: '1000', RATE_LIMIT_PER_10S: '3000' };
  const stack = await startStack({
    provider: e2eProvider as 'embedded' | 'native',
    base,
    dataDir,
    fresh: 'redis-in-memory',
    observatory: true,
    limits,
  });
  const api = async (method: string, path: string, body?: object): Promise<unknown> => {
    const { url, pageKey } = stack.observatory!;
    const headers = { authorization: `Bearer ${pageKey}`, ...(body !== undefined && { 'content-type': 'application/json' }) };
    const answer = await fetch(`${url}/api/faults${path}`, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) });
    const told: unknown = await answer.json();
    if (!answer.ok) throw new Error(JSON.stringify(told));
    return told;
  };
  await expect
    .poll(
      () =>
        api('GET', '').then(
          (view) => (view as FaultsView).faults.length,
          () => 0,
        ),
      // The shop does not wait for its Observatory.
      { timeout: 60_000, intervals: [100] },
    )
    .toBeGreaterThan(5);
  return { ...clientOf(stack), ...switchesOf(api, stack), stop: () => stack.stop() };
}

function clientOf({ gateways }: RunningStack): Pick<FaultyShop, 'ask' | 'register'> {
  const ask: FaultyShop['ask'] = (token, path, { trainee, gateway = 0, body, headers = {} } = {}) => {
    const cookies = [token === undefined ? [] : sessionCookieOf(token), trainee === undefined ? [] : `trainee=${trainee}`].flat();
    const sent = { gateway: gateways[gateway]!, headers: { ...(cookies.length > 0 && { cookie: cookies.join('; ') }), ...headers } };
    return body === undefined ? plain(path, sent) : posted(path, body, sent);
  };
  return {
    ask,
    register: async () => {
      const answer = await ask(undefined, '/api/session/register', { body: newPerson() });
      expect(answer.status, answer.body).toBe(201);
      return tokenIn(answer)!;
    },
  };
}

function switchesOf(
  api: (method: string, path: string, body?: object) => Promise<unknown>,
  stack: RunningStack,
): Pick<FaultyShop, 'on' | 'off' | 'command' | 'signalObservatory' | 'observatoryPid'> {
  const observatoryPid = () => stack.process('observatory').pid();
  return {
    on: async (name, wanted) => (await api('PUT', `/${name}`, wanted)) as FaultOn,
    off: async () => void (await api('DELETE', '')),
    observatoryPid,
    signalObservatory: (signal) => void process.kill(observatoryPid()!, signal),
    command: async (...args) => {
      const cli = join(import.meta.dirname, '../../infra/cli.ts');
      const { stdout } = await promisify(execFile)(process.execPath, [cli, 'fault', ...args, '--port-base', String(base)]);
      return stdout;
    },
  };
}
