/** Two regions for the benchmark: the drawing of `npm start -- --profile regions`, the ocean's door, and HTTP that says how long it took. */
import { randomBytes, randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { uuidV7 } from '@cloakroom/contracts';
import { startStack } from '@cloakroom/infra';
import { Pool } from 'undici';
import { oceanKey } from '../../../infra/launch/secrets.ts';
import { dataRoot } from '../../../infra/stack/folders.ts';
import { oceanControlOf } from '../../../infra/stack/stack.ports.ts';
import type { Person } from '../measuring/people.ts';

/** The first gateway is eu's and the second us'. People live in eu, so us is abroad. */
export const places = ['home', 'abroad'] as const;
export type Place = (typeof places)[number];

export interface Told {
  readonly status: number;
  readonly ms: number;
  readonly cookie: string;
  readonly body: string;
  /** How the gateway knew the caller: "hybrid hit". */
  readonly decision: string | undefined;
}

export interface Asking {
  readonly method?: 'GET' | 'POST' | 'PATCH';
  readonly cookie?: string | undefined;
  readonly body?: object;
}

export interface Regions {
  readonly pools: Readonly<Record<Place, Pool>>;
  readonly gateways: Readonly<Record<Place, string>>;
  ask(place: Place, path: string, asking?: Asking): Promise<Told>;
  ocean(command: object): Promise<void>;
  close(): Promise<void>;
}

/** No counter may stop one address that is everybody. */
const unlimited = '1000000';
const limits = {
  SIGN_IN_LIMIT_PER_MINUTE: unlimited,
  REGISTRATION_LIMIT_PER_HOUR: unlimited,
  RATE_LIMIT_PER_10S: unlimited,
  GUEST_LIMIT_PER_MINUTE: unlimited,
  GUEST_LIMIT_PER_HOUR: unlimited,
  GUEST_LIMIT_PER_HOUR_IN_ALL: unlimited,
  ADDRESS_FAILURE_LIMIT_PER_15_MIN: unlimited,
};
const connections = 32;
/** This is preparation and not measured: a busy machine is asked again. */
const answeredTimeoutMs = 120_000;
/** Longer than any budget of the shop. */
const answerTimeoutMs = 20_000;

export interface StartedRegions extends Regions {
  stop(): Promise<void>;
}

export async function startRegions(base: number, rttMs: number): Promise<StartedRegions> {
  const dataDir = join(dataRoot, `bench-regions-${base}`);
  rmSync(dataDir, { recursive: true, force: true });
  const stack = await startStack({
    provider: 'native',
    profile: 'regions',
    base,
    dataDir,
    fresh: 'redis-in-memory',
    logLevel: 'silent',
    telemetry: {},
    limits,
    oceanRttMs: rttMs,
  });
  const regions = regionsAt(base, dataDir);
  return {
    ...regions,
    async stop() {
      await regions.close();
      await stack.stop();
    },
  };
}

/** Two regions that run already. */
export function regionsAt(base: number, dataDir: string): Regions {
  const gateways = { home: `http://localhost:${base}`, abroad: `http://localhost:${base + 1}` };
  const open = (url: string) => new Pool(url, { connections, pipelining: 1, headersTimeout: answerTimeoutMs });
  const pools = { home: open(gateways.home), abroad: open(gateways.abroad) };
  return {
    pools,
    gateways,
    async ask(place, path, { method = 'GET', cookie, body } = {}) {
      const headers = {
        origin: gateways[place],
        ...(cookie !== undefined && { cookie }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      };
      const startedMs = performance.now();
      const answer = await pools[place].request({ method, path, headers, ...(body !== undefined && { body: JSON.stringify(body) }) });
      const text = await answer.body.text();
      const ms = performance.now() - startedMs;
      const timing = String(answer.headers['server-timing'] ?? '');
      const set = [answer.headers['set-cookie'] ?? []].flat().map((one) => one.split(';', 1)[0]!);
      return {
        status: answer.statusCode,
        ms,
        cookie: set.join('; '),
        body: text,
        decision: /session;dur=[\d.]+;desc="([^"]+)"/.exec(timing)?.[1],
      };
    },
    async ocean(command) {
      const headers = { authorization: `Bearer ${oceanKey(dataDir)}` };
      const told = await fetch(`http://127.0.0.1:${oceanControlOf(base)}/`, { method: 'POST', headers, body: JSON.stringify(command) });
      if (!told.ok) throw new Error(`the ocean: ${told.status} ${await told.text()}`);
    },
    async close() {
      await Promise.all([pools.home.destroy(), pools.abroad.destroy()]);
    },
  };
}

export const newCommand = (productId: string): object => ({
  commandId: uuidV7(Date.now(), randomBytes(10)),
  productId,
  quantity: 1,
  options: {},
});

export async function plainProduct({ ask }: Regions): Promise<string> {
  const { body } = await ask('home', '/api/products?pageSize=50');
  const { items } = JSON.parse(body) as { items: { productId: string; options: object[] | Record<string, unknown> }[] };
  return items.find(({ options }) => Object.keys(options).length === 0)!.productId;
}

/** A sign-up may ask the other region. One that was not answered may have made an account, so the next try is another person. */
export async function makePeople({ ask }: Regions, place: Place, count: number): Promise<Person[]> {
  const untilMs = performance.now() + answeredTimeoutMs;
  const people: Person[] = [];
  while (people.length < count) {
    const person = { email: `bench-${randomUUID()}@example.com`, password: 'correct horse battery staple' };
    const { status, body } = await ask(place, '/api/session/register', { method: 'POST', body: { ...person, name: 'Bench Person' } });
    if (status === 201) people.push(person);
    else if (status < 500 || performance.now() > untilMs) throw new Error(`register: ${status} ${body}`);
  }
  return people;
}

/** @returns the Cookie header of a new session in the mode hybrid */
export async function signInAt({ ask }: Regions, place: Place, person: Person): Promise<string> {
  const untilMs = performance.now() + answeredTimeoutMs;
  for (;;) {
    const { status, body, cookie } = await ask(place, '/api/session/login', { method: 'POST', body: { ...person, mode: 'hybrid' } });
    if (status === 200) return cookie;
    if (status < 500 || performance.now() > untilMs) throw new Error(`login: ${status} ${body}`);
  }
}
