/** Every rpc of every contract x every way to arrive without the right identity, against real ports with mutual TLS. */
import { sign } from 'node:crypto';
import type { DescService } from '@bufbuild/protobuf';
import { ChannelCredentials, Client, Metadata } from '@grpc/grpc-js';
import {
  AccountService,
  AuthService,
  callMetadata,
  CartService,
  CatalogService,
  Identity,
  type MethodPolicy,
  OperationClass,
  OrdersService,
  ProfileService,
  RegionsService,
  StockSharesService,
  TokenExchangeService,
} from '@cloakroom/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MeshServer, nameOf, policyOf, serveMesh, serviceNameOf } from '@cloakroom/mesh';
import { certificates, claims, emptyFeed, movableClock, newSigner, passportOf, rawCall, silent, tellingHandlers } from './mesh.fixture.ts';
import { openAdmission } from '../admission.ts';
import { createPassportVerifier, type PassportClaims } from '../passport.ts';
import { metrics } from '@cloakroom/platform';

const services: readonly DescService[] = [
  AuthService,
  AccountService,
  CartService,
  ProfileService,
  CatalogService,
  OrdersService,
  TokenExchangeService,
  RegionsService,
  StockSharesService,
];
const methods = services.flatMap((service) => service.methods.map((method) => ({ method, policy: policyOf(method) })));

const signer = newSigner('k1');
const forger = newSigner('k1');
const stranger = newSigner('k9');
const clock = movableClock();
const feed = emptyFeed();
feed.revoke('revoked');
const reached: string[] = [];
const running = new Map<string, { readonly server: MeshServer; readonly clients: ReadonlyMap<string, Client> }>();

const callers = ['gateway', 'cart', 'profile', 'catalog', 'orders', 'operator', 'developer', 'auth', 'intruder'];

beforeAll(async () => {
  metrics.getSingleMetric('mesh_refused_metadata_total')!.reset();
  const tlsOf = await certificates(callers);
  const elsewhere = await certificates(['gateway']);
  for (const name of new Set(services.map(serviceNameOf))) {
    const verifier = createPassportVerifier({ audience: name, keys: signer.ring, feed, clock });
    const server = await serveMesh({
      name,
      port: 0,
      tls: await tlsOf(name),
      services: services.filter((service) => serviceNameOf(service) === name).map((service) => tellingHandlers(service, reached)),
      admission: openAdmission(verifier, clock, { developers: true }),
      clock,
      log: silent,
    });
    const clients = new Map<string, Client>();
    const connect = (credentials: ChannelCredentials) =>
      new Client(`localhost:${server.port}`, credentials, { 'grpc.use_local_subchannel_pool': 1, 'grpc.enable_retries': 0 });
    for (const caller of callers) {
      const { ca, cert, key } = await tlsOf(caller);
      clients.set(caller, connect(ChannelCredentials.createSsl(ca, key, cert)));
    }
    const foreign = await elsewhere('gateway');
    const { ca } = await tlsOf('gateway');
    clients.set('foreign authority', connect(ChannelCredentials.createSsl(ca, foreign.key, foreign.cert)));
    clients.set('no certificate', connect(ChannelCredentials.createSsl(ca)));
    clients.set('plaintext', connect(ChannelCredentials.createInsecure()));
    running.set(name, { server, clients });
  }
});

afterAll(async () => {
  for (const { server, clients } of running.values()) {
    clients.forEach((client) => client.close());
    await server.stop();
  }
});

const needsPerson = ({ identity }: MethodPolicy) => identity === Identity.GUEST || identity === Identity.USER;
/** The rightful caller. Where the policy lists none, a delegate calls, with a passport that it exchanged. */
const rightful = ({ callers: listed, delegates }: MethodPolicy) => listed[0] ?? delegates[0]!;
const exchangedBy = ({ callers: listed, delegates }: MethodPolicy, name: string) =>
  listed.length === 0 ? { act: { sub: delegates[0]! }, scope: name } : {};
const stateFor = ({ identity }: MethodPolicy) => (identity === Identity.USER ? 'user' : 'guest');

interface Arrival {
  readonly name: string;
  readonly policy: MethodPolicy;
  readonly audience: string;
  /** A passport that this method takes, but for the changes. */
  passport(changes?: Partial<PassportClaims>, by?: typeof signer): string;
  /** Signed rightly over any claims and header. */
  signed(header: object, changes?: object): string;
}

interface Case {
  readonly what: string;
  readonly metadata: (arrival: Arrival) => Metadata;
  readonly caller?: (policy: MethodPolicy) => string;
  /** From the contract's words alone: 'ok' or a code. */
  readonly expected: (policy: MethodPolicy) => string;
}

const header = { alg: 'ES256', typ: 'passport+jwt', kid: 'k1' };
const withPassport = (value: string): Metadata => {
  const metadata = new Metadata();
  metadata.set(callMetadata.passport, value);
  return metadata;
};
const always = (code: string) => () => code;
const nowS = () => clock.nowMs() / 1000;

/** Each carries a passport that must be refused, whatever the method needs. */
const badPassports: Readonly<Record<string, (arrival: Arrival) => string>> = {
  'forged by another key': ({ passport }) => passport({}, forger),
  'of a key that auth does not know': ({ passport }) => passport({}, stranger),
  'with alg none': ({ signed }) =>
    `${signed({ ...header, alg: 'none' })
      .split('.')
      .slice(0, 2)
      .join('.')}.`,
  'with alg none and a signature': ({ signed }) => signed({ ...header, alg: 'none' }),
  'with alg HS256': ({ signed }) => signed({ ...header, alg: 'HS256' }),
  'of another typ': ({ signed }) => signed({ ...header, typ: 'event+jws' }),
  'of typ JWT': ({ signed }) => signed({ ...header, typ: 'JWT' }),
  'with a key of its own': ({ signed }) => signed({ ...header, jwk: stranger.jwk() }),
  'with a key address': ({ signed }) => signed({ ...header, jku: 'https://evil.example' }),
  'with a critical extension': ({ signed }) => signed({ ...header, crit: ['x'], x: 1 }),
  'with r = s = 0': ({ passport }) => `${passport().split('.').slice(0, 2).join('.')}.${Buffer.alloc(64).toString('base64url')}`,
  'without a signature': ({ passport }) => `${passport().split('.').slice(0, 2).join('.')}.`,
  'that has expired': ({ passport }) => passport({ iat: nowS() - 59, exp: nowS() - 0.001, auth_time: 0 }),
  'from the future': ({ passport }) => passport({ iat: nowS() + 10, exp: nowS() + 30 }),
  'that lives for an hour': ({ signed }) => signed(header, { exp: nowS() + 3_600 }),
  'of another issuer': ({ signed }) => signed(header, { iss: 'someone' }),
  'for another audience': ({ passport, audience }) => passport({ aud: audience === 'cart' ? 'profile' : 'cart' }),
  'for several audiences': ({ signed, audience }) => signed(header, { aud: [audience, 'cart'] }),
  'for a longer audience': ({ passport, audience }) => passport({ aud: `${audience}x` }),
  'that is not one': () => 'x',
};

const ambiguous: Readonly<Record<string, (arrival: Arrival) => Metadata>> = {
  'comma-joined': ({ passport }) => withPassport(`${passport()},${passport()}`),
  'comma-joined with a blank': ({ passport }) => withPassport(`${passport()}, ${passport({}, forger)}`),
  'the same, duplicated': ({ passport }) => {
    const metadata = withPassport(passport());
    metadata.add(callMetadata.passport, metadata.get(callMetadata.passport)[0]!);
    return metadata;
  },
  'another one appended by merge': ({ passport }) => {
    const metadata = withPassport(passport());
    metadata.merge(withPassport(passport({ sid: 'other' })));
    return metadata;
  },
  'with an empty second': ({ passport }) => {
    const metadata = withPassport(passport());
    metadata.add(callMetadata.passport, '');
    return metadata;
  },
  ...Object.fromEntries(
    ['x_passport', 'xpassport', 'x.passport', 'x-pass-port'].map((name) => [
      `beside ${name}`,
      ({ passport }: Arrival) => {
        const metadata = withPassport(passport());
        metadata.set(name, passport());
        return metadata;
      },
    ]),
  ),
  'only as x-passport-bin': ({ passport }) => {
    const metadata = new Metadata();
    metadata.set('x-passport-bin', Buffer.from(passport()));
    return metadata;
  },
  empty: () => withPassport(''),
};

const cases: readonly Case[] = [
  { what: 'the right passport', metadata: ({ passport }) => withPassport(passport()), expected: always('ok') },
  {
    what: 'no passport',
    metadata: () => new Metadata(),
    expected: (policy) => (!needsPerson(policy) ? 'ok' : policy.identity === Identity.USER ? 'sign_in_required' : 'session_required'),
  },
  ...Object.entries(badPassports).map(([what, make]): Case => ({
    what: `a passport ${what}`,
    metadata: (arrival) => withPassport(make(arrival)),
    expected: always('invalid_passport'),
  })),
  ...Object.entries(ambiguous).map(([what, metadata]): Case => ({
    what: `a passport ${what}`,
    metadata,
    expected: always('invalid_passport'),
  })),
  {
    what: 'a guest',
    metadata: ({ passport }) => withPassport(passport({ state: 'guest', sub: 'g_1', auth_time: 0 })),
    expected: ({ identity }) => (identity === Identity.USER ? 'sign_in_required' : 'ok'),
  },
  {
    what: 'a user',
    metadata: ({ passport }) => withPassport(passport({ state: 'user', sub: 'u_1', auth_time: nowS() })),
    expected: always('ok'),
  },
  {
    what: 'a passport of three seconds ago',
    metadata: ({ passport, policy }) =>
      withPassport(passport({ iat: nowS() - 3, exp: nowS() + 50, ...(policy.identity === Identity.USER && { auth_time: nowS() - 4 }) })),
    expected: ({ operationClass }) => (operationClass === OperationClass.SENSITIVE ? 'invalid_passport' : 'ok'),
  },
  {
    what: 'a password proven six minutes ago',
    metadata: ({ passport, policy }) => withPassport(passport(policy.identity === Identity.USER ? { auth_time: nowS() - 360 } : {})),
    expected: ({ authenticationAgeMaxS }) => (authenticationAgeMaxS > 0 && authenticationAgeMaxS < 360 ? 'step_up_required' : 'ok'),
  },
  { what: 'a revoked session', metadata: ({ passport }) => withPassport(passport({ sid: 'revoked' })), expected: always('session_ended') },
  {
    what: 'the right passport from a service that is not listed',
    metadata: ({ passport }) => withPassport(passport()),
    caller: always('intruder'),
    expected: always('forbidden'),
  },
  {
    what: 'no passport from a service that is not listed',
    metadata: () => new Metadata(),
    caller: (policy) => callers.find((caller) => !policy.callers.includes(caller))!,
    expected: always('forbidden'),
  },
  {
    what: 'a passport that it exchanged for this method, by orders',
    metadata: ({ name, passport }) => withPassport(passport({ act: { sub: 'orders' }, scope: `a.B/C ${name}` })),
    caller: always('orders'),
    expected: ({ delegates }) => (delegates.includes('orders') ? 'ok' : 'forbidden'),
  },
  {
    what: 'a passport that it exchanged for other methods, by orders',
    metadata: ({ name, passport }) => withPassport(passport({ act: { sub: 'orders' }, scope: `${name}s a.B/C` })),
    caller: always('orders'),
    expected: always('forbidden'),
  },
  {
    what: 'a passport that it was sent and did not exchange, by orders',
    metadata: ({ passport }) => withPassport(passport({ act: undefined, scope: undefined })),
    caller: always('orders'),
    expected: ({ callers: listed }) => (listed.includes('orders') ? 'ok' : 'forbidden'),
  },
  {
    what: 'a passport that another service exchanged, from a service that is listed',
    metadata: ({ name, passport }) => withPassport(passport({ act: { sub: 'cart', act: { sub: 'orders' } }, scope: name })),
    caller: ({ callers: listed, delegates }) => delegates[0] ?? listed.find((each) => each !== 'cart')!,
    expected: always('invalid_passport'),
  },
  {
    what: 'an exchanged passport from the edge',
    metadata: ({ name, passport }) => withPassport(passport({ act: { sub: 'orders' }, scope: name })),
    caller: ({ callers: listed }) => listed.find((each) => each !== 'orders') ?? 'gateway',
    expected: ({ callers: listed }) => (listed.some((each) => each !== 'orders') ? 'invalid_passport' : 'forbidden'),
  },
  ...['foreign authority', 'no certificate', 'plaintext'].map((caller): Case => ({
    what: `the right passport, ${caller}`,
    metadata: ({ passport }) => withPassport(passport()),
    caller: always(caller),
    expected: always('connection_lost'),
  })),
];

function arrivalAt(name: string, policy: MethodPolicy, audience: string): Arrival {
  return {
    name,
    policy,
    audience,
    passport: (changes = {}, by = signer) =>
      passportOf(by, audience, stateFor(policy), clock.nowMs(), { ...exchangedBy(policy, name), ...changes }),
    signed: (head, changes = {}) => {
      const body = Buffer.from(
        JSON.stringify({ ...claims(audience, stateFor(policy), clock.nowMs()), ...exchangedBy(policy, name), ...changes }),
      );
      const input = `${Buffer.from(JSON.stringify(head)).toString('base64url')}.${body.toString('base64url')}`;
      const signature = sign('sha256', Buffer.from(input), { key: signer.privateKey, dsaEncoding: 'ieee-p1363' });
      return `${input}.${signature.toString('base64url')}`;
    },
  };
}

const clientOf = (service: DescService, caller: string): Client => running.get(serviceNameOf(service))!.clients.get(caller)!;

let asserted = 0;

describe.each(methods.map(({ method, policy }) => ({ name: nameOf(method), method, policy })))('$name', ({ name, method, policy }) => {
  it.each(cases.map((one) => ({ ...one, code: one.expected(policy) })))('answers $code to $what', async ({ metadata, caller, code }) => {
    reached.length = 0;
    const client = clientOf(method.parent, caller?.(policy) ?? rightful(policy));
    const answer = await rawCall(client, method, metadata(arrivalAt(name, policy, serviceNameOf(method.parent))));
    expect(answer).toBe(code);
    // A stream of questions is handled by the method that it carries.
    const handled = policy.carries === '' ? name : `${method.parent.typeName}/${policy.carries}`;
    expect(reached).toEqual(code === 'ok' ? [handled] : []);
    asserted += 1;
  });

  it('is served to each service that the policy lists', async () => {
    for (const caller of policy.callers) {
      const { passport } = arrivalAt(name, policy, serviceNameOf(method.parent));
      expect(await rawCall(clientOf(method.parent, caller), method, withPassport(passport()))).toBe('ok');
    }
  });

  it('is not reached by another spelling of its path', async () => {
    reached.length = 0;
    const metadata = () => withPassport(arrivalAt(name, policy, serviceNameOf(method.parent)).passport());
    const spellings = [
      name,
      `//${name}`,
      `/${name}/`,
      `/${name.toLowerCase()}`,
      `/${name}?a`,
      `/%63loakroom${name.slice(9)}`,
      `/./${name}`,
    ];
    const answers: string[] = [];
    for (const path of spellings) answers.push(await rawCall(clientOf(method.parent, rightful(policy)), method, metadata(), path));
    expect(answers).not.toContain('ok');
    expect(reached).toEqual([]);
  });
});

it('has asserted every case for every method, and counted what was refused', async () => {
  console.log(`mesh matrix: ${methods.length} methods x ${cases.length} arrivals = ${asserted} cases`);
  expect(methods.length).toBeGreaterThanOrEqual(20);
  expect(asserted).toBe(methods.length * cases.length);
  const counted = (await metrics.getSingleMetric('mesh_refused_metadata_total')!.get()).values.filter(
    ({ labels }) => labels.key === callMetadata.passport,
  );
  expect(new Set(counted.map(({ labels }) => labels.reason))).toEqual(new Set(['look_alike', 'malformed', 'more_than_one']));
});
