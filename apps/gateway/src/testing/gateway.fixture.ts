/**
 * A gateway on a real port, with fake services behind the real mesh. The event log is real (embedded), and the test's own auth writes to it.
 */
import { mirroredTopic, topics } from '@cloakroom/contracts';
import { openEventLog } from '@cloakroom/event-log';
import { createPassportVerifier, createVerifierOfRegions, openAdmission } from '@cloakroom/identity';
import { serveMesh } from '@cloakroom/mesh';
import { createLogger, type Running, systemClock } from '@cloakroom/platform';
import { FakeAuth, macKeyText, Relay } from './fake-auth.fixture.ts';
import { fakeServices, type FakeServices } from './fake-services.fixture.ts';
import { type GatewayConfig, readConfig, start } from '../start.ts';

export const origin = 'http://localhost:4000';
export const silent = createLogger('test', 'silent');

export interface Stage {
  readonly auth: FakeAuth;
  readonly services: FakeServices;
  /** Those of the other region that the gateway reaches: auth, profile and orders. */
  readonly servicesAbroad: FakeServices;
  readonly relay: Relay;
  /** Writes to the copy of the other region's feed. Silent where there is one region. */
  readonly relayAbroad: Relay;
  readonly gateway: Running;
  readonly url: string;
  /** Ends the session at auth, and the feed says so. */
  end(token: string): Promise<void>;
  /** Starts one more gateway before the same services. */
  another(more?: Record<string, string>): Promise<AsyncDisposable & { readonly url: string }>;
  stop(): Promise<void>;
}

type Env = Record<string, string>;

const settingsAbroad = { auth: 'OTHER_REGIONS', profile: 'PROFILE_ABROAD', orders: 'ORDERS_ABROAD' };

/**
 * @param env replaces settings of the test gateway; a function of the services' addresses can put something between
 * @param abroad the auth of another region, whose sessions this shop accepts too
 */
export async function openStage(env: Env | ((addresses: Env) => Promise<Env>) = {}, abroad?: FakeAuth): Promise<Stage> {
  const eventLog = await openEventLog({ kind: 'embedded', log: silent, clock });
  const mirrored = mirroredTopic(topics.sessionRevocations, abroad?.region ?? '');
  await eventLog.ensureTopics([topics.sessionRevocations, ...(abroad === undefined ? [] : [mirrored])]);
  const auth = new FakeAuth();
  const services = fakeServices(auth);
  const auths = abroad === undefined ? [auth] : [auth, abroad];
  const servers = await Promise.all(services.implementations.map((service) => serve(service, auths)));
  const addresses: Env = Object.fromEntries(
    services.implementations.map(({ name }, i) => [`${name.toUpperCase()}_ADDRESS`, `localhost:${servers[i]!.port}`]),
  );
  const relay = new Relay(eventLog, auth.signed.key);
  relay.startBeating();
  const relayAbroad = new Relay(eventLog, (abroad ?? auth).signed.key, mirrored);
  const servicesAbroad = abroad === undefined ? services : fakeServices(abroad);
  if (abroad !== undefined) {
    for (const [name, setting] of Object.entries(settingsAbroad)) {
      const server = await serve(
        servicesAbroad.implementations.find((one) => one.name === name)!,
        [abroad],
      );
      servers.push(server);
      addresses[setting] = `${abroad.region}=localhost:${server.port}`;
    }
    relayAbroad.startBeating();
  }
  const given = typeof env === 'function' ? await env(addresses) : env;
  const parts = { log: silent, clock, eventLog };
  const gateway = await start(configOf({ ...addresses, ...given }), parts);
  const stage: Stage = {
    auth,
    services,
    servicesAbroad,
    relay,
    relayAbroad,
    gateway,
    url: gateway.url,
    async end(token) {
      const session = auth.sessionOf(token);
      session.live = false;
      await relay.revoke(token, session.view, true);
    },
    async another(more = {}) {
      const second = await start(configOf({ ...addresses, ...given, REPLICA: 'second', ...more }), parts);
      await ready(second.url);
      return { url: second.url, [Symbol.asyncDispose]: () => second.stop() };
    },
    async stop() {
      relay.stopBeating();
      relayAbroad.stopBeating();
      await gateway.stop();
      await Promise.all(servers.map((server) => server.stop()));
      await eventLog.close();
    },
  };
  await ready(stage.url);
  return stage;
}

const clock = systemClock;

/** Each region's keys sign for that region alone. */
function serve({ name, implementation, beside }: FakeServices['implementations'][number], auths: readonly FakeAuth[]) {
  const verifiers = auths.map(({ signed, region }) => {
    const verifier = createPassportVerifier({ audience: name, keys: signed.ring, clock, accessTokens: name !== 'auth', region });
    return [region, verifier] as const;
  });
  return serveMesh({
    name,
    port: 0,
    tls: undefined,
    services: beside === undefined ? [implementation] : [implementation, beside],
    admission: openAdmission(createVerifierOfRegions(name, new Map(verifiers)), clock),
    clock,
    log: silent,
  });
}

export function configOf(env: Record<string, string>): GatewayConfig {
  return readConfig({
    REPLICA: 'test',
    LISTEN_PORT: '0',
    LOG_LEVEL: 'silent',
    MESH_TLS: 'off',
    EVENT_LOG: 'embedded',
    SESSION_MAC_KEY: macKeyText,
    PUBLIC_ORIGINS: `${origin},http://localhost:4001`,
    RATE_LIMIT_PER_10S: '100000',
    SIGN_IN_LIMIT_PER_MINUTE: '100000',
    GUEST_LIMIT_PER_MINUTE: '100000',
    ORDER_LIMIT_PER_MINUTE: '100000',
    ...env,
  });
}

/** Waits until the gateway is ready and has a lease: from here on it uses cached identity. */
async function ready(url: string): Promise<void> {
  await until(async () => {
    const response = await fetch(`${url}/readyz`);
    const told = (await response.json()) as { parts: { feed: { leased: boolean } } };
    return response.status === 200 && told.parts.feed.leased;
  });
}

/** Waits for a condition, at most 5 s. */
export async function until(condition: () => boolean | Promise<boolean>, timeoutMs = 5_000): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error('the condition did not come true in time');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

// oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of many shapes
export type Json = any;

export interface Told {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Json;
  readonly setCookies: string[];
}

export interface Ask {
  readonly method?: string;
  readonly token?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

export async function ask(url: string, path: string, { method = 'GET', token, body, headers = {} }: Ask = {}): Promise<Told> {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(method !== 'GET' && { origin }),
      ...(token !== undefined && { cookie: `__Host-session=${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson && text !== '' ? JSON.parse(text) : undefined,
    setCookies: response.headers.getSetCookie(),
  };
}

export const tokenIn = (told: Told): string | undefined =>
  told.setCookies.map((cookie) => /^__Host-session=([^;]*)/.exec(cookie)?.[1]).find((token) => token !== undefined);
