/** The caller `developer` against every rpc of every contract: on a local shop and elsewhere, with a certificate and with the secret of a start. */
import type { DescService } from '@bufbuild/protobuf';
import { ChannelCredentials, Client, Metadata } from '@grpc/grpc-js';
import * as contracts from '@cloakroom/contracts';
import { callMetadata, CartService, developer, Identity, isProblem, type MethodPolicy } from '@cloakroom/contracts';
import type { EventLog } from '@cloakroom/event-log';
import { afterEach, expect, it } from 'vitest';
import {
  type Admission,
  admissionToken,
  developerSecret,
  guardMesh,
  type MeshTls,
  policyOf,
  processToken,
  serveMesh,
  serviceNameOf,
} from '@cloakroom/mesh';
import { openAdmission } from '../admission.ts';
import { createPassportVerifier } from '../passport.ts';
import { feedToken, IdentityModule, keysToken, regionsToken } from '../identity.module.ts';
import { certificates, emptyFeed, movableClock, newSigner, passportOf, rawCall, silent, tellingHandlers } from './mesh.fixture.ts';

const services = (Object.values(contracts) as unknown[]).filter(
  (value): value is DescService => typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'service',
);
const needsPerson = ({ identity }: MethodPolicy) => identity === Identity.GUEST || identity === Identity.USER;
const clock = movableClock();
const signer = newSigner();

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Proof {
  readonly tls?: { readonly server: MeshTls; readonly client: MeshTls };
  readonly secret?: string;
}

/** @returns the outcome of each rpc of a service for a developer */
async function askEach(service: DescService, developers: boolean, { tls, secret }: Proof, passport: (aud: string) => string | undefined) {
  const audience = serviceNameOf(service);
  const server = await serveMesh({
    name: audience,
    port: 0,
    tls: tls?.server,
    services: [tellingHandlers(service, [])],
    admission: openAdmission(createPassportVerifier({ audience, keys: signer.ring, clock }), clock, { developers }),
    clock,
    log: silent,
  });
  const credentials = tls
    ? ChannelCredentials.createSsl(tls.client.ca, tls.client.key, tls.client.cert)
    : ChannelCredentials.createInsecure();
  const client = new Client(`localhost:${server.port}`, credentials, {
    'grpc.ssl_target_name_override': audience,
    'grpc.use_local_subchannel_pool': 1,
  });
  try {
    const outcomes: [string, string][] = [];
    for (const method of service.methods) {
      const metadata = new Metadata();
      if (secret !== undefined) metadata.set(callMetadata.meshSecret, secret);
      const shown = passport(audience);
      if (shown !== undefined) metadata.set(callMetadata.passport, shown);
      outcomes.push([`${service.name}/${method.name}`, await rawCall(client, method, metadata)]);
    }
    return outcomes;
  } finally {
    client.close();
    await server.stop();
  }
}

/** The outcome by the contract's words alone. */
const expectedOf = (service: DescService, of: (policy: MethodPolicy) => string): [string, string][] =>
  service.methods.map((method) => [`${service.name}/${method.name}`, of(policyOf(method))]);

const isReserved = ({ identity, callers }: MethodPolicy) => identity === Identity.SERVICE && !callers.includes(developer);
const ofUser = (audience: string) => passportOf(signer, audience, 'user', clock.nowMs());

async function proofs(names: readonly string[]): Promise<(service: DescService) => Promise<readonly Proof[]>> {
  const tlsOf = await certificates([...new Set([...names, developer])]);
  const take = guardMesh('of this start');
  closing.push(take);
  return async (service) => [
    { tls: { server: await tlsOf(serviceNameOf(service)), client: await tlsOf(developer) } },
    { secret: developerSecret('of this start') },
  ];
}

it('may call, on a local shop, what is for people with their passport, and nothing that is reserved for a service', async () => {
  const proofsFor = await proofs(services.map(serviceNameOf));
  for (const service of services)
    for (const proof of await proofsFor(service)) {
      const right = await askEach(service, true, proof, ofUser);
      expect(right).toEqual(expectedOf(service, (policy) => (isReserved(policy) ? 'forbidden' : 'ok')));
    }
});

it('gets nothing of a person without that person’s own passport', async () => {
  const proofsFor = await proofs(services.map(serviceNameOf));
  const forger = newSigner();
  for (const service of services)
    for (const proof of await proofsFor(service)) {
      const forged = await askEach(service, true, proof, (audience) => passportOf(forger, audience, 'user', clock.nowMs()));
      expect(forged).toEqual(expectedOf(service, (policy) => (isReserved(policy) ? 'forbidden' : 'invalid_passport')));
      const none = await askEach(service, true, proof, () => undefined);
      const missing = (policy: MethodPolicy) =>
        !needsPerson(policy) ? 'ok' : policy.identity === Identity.USER ? 'sign_in_required' : 'session_required';
      expect(none).toEqual(expectedOf(service, (policy) => (isReserved(policy) ? 'forbidden' : missing(policy))));
      const traded = (audience: string) =>
        passportOf(signer, audience, 'user', clock.nowMs(), {
          act: { sub: developer },
          scope: service.methods.map((m) => `${service.typeName}/${m.name}`).join(' '),
        });
      const exchanged = await askEach(service, true, proof, traded);
      expect(exchanged.filter(([, outcome]) => outcome === 'ok')).toEqual([]);
    }
});

it('is refused by every rpc elsewhere, also by those whose policy names it', async () => {
  const proofsFor = await proofs(services.map(serviceNameOf));
  for (const service of services)
    for (const proof of await proofsFor(service))
      expect(await askEach(service, false, proof, ofUser)).toEqual(expectedOf(service, () => 'forbidden'));
});

it.each([
  ['native', 'ok'],
  ['embedded', 'ok'],
  ['docker', 'forbidden'],
  ['external', 'forbidden'],
])('with the provider %s gets the answer %s of every kind of service', async (PROVIDER, answer) => {
  const config = {
    HOST: '127.0.0.1',
    LISTEN_PORT: 0,
    ADMIN_PORT: 0,
    MESH_TLS: 'off',
    TLS_DIR: '',
    PROVIDER,
    AUTH_ADDRESS: 'localhost:1',
    REGION: 'local',
    OTHER_REGIONS: [],
  } as const;
  const parts = { log: silent, clock, eventLog: {} as EventLog };
  const policy = policyOf(CartService.method.getCart);
  for (const module of [
    IdentityModule.with('cart', { ...config, EVENT_LOG: 'embedded', REPLICA: '1' }, parts),
    IdentityModule.withoutRevocations('cart', config, parts),
  ]) {
    const providers = module.providers as {
      readonly provide: symbol;
      readonly inject: readonly symbol[];
      readonly useFactory: (...parts: unknown[]) => Admission;
    }[];
    const { inject, useFactory } = providers.find(({ provide }) => provide === admissionToken)!;
    const made = new Map<symbol, unknown>([
      [processToken, { clock }],
      [keysToken, signer.ring],
      [feedToken, emptyFeed()],
      [regionsToken, new Map()],
    ]);
    const admission = useFactory(...inject.map((token) => made.get(token)));
    const sent = {
      passport: ofUser('cart'),
      accessToken: undefined,
      traceparent: undefined,
      experiment: undefined,
      consistency: undefined,
    };
    const admitted = await admission.admit({ policy, name: 'x' }, { name: developer, proven: true, audience: 'cart' }, sent);
    expect(isProblem(admitted) ? admitted.problem : 'ok').toBe(answer);
  }
});

it('is named by one policy alone, which trades a session’s own token for a passport', () => {
  const naming = services.flatMap((service) =>
    service.methods.filter((method) => policyOf(method).callers.includes(developer)).map((method) => `${service.name}/${method.name}`),
  );
  expect(naming).toEqual(['AuthService/Resolve']);
  expect(services.flatMap(({ methods }) => methods.filter((method) => policyOf(method).delegates.includes(developer)))).toEqual([]);
});

it('knows a secret of its own, which is not that of the services', () => {
  expect(developerSecret('of this start')).not.toContain('of this start');
  expect(developerSecret('of this start')).not.toBe(developerSecret('of another start'));
});
