/** The mesh's tests share these: a signer, a movable time, a feed to fill, certificates, and servers on free ports. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, toBinary, type DescMethod, type DescService } from '@bufbuild/protobuf';
import { type Client, type Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { type Clock, createLogger, type Logger, startTrace } from '@cloakroom/platform';
import {
  createDevelopmentCa,
  type Rpcs,
  implement,
  type Implementation,
  type MeshTls,
  nameOf,
  type OutgoingCall,
  readProblem,
  readTls,
} from '@cloakroom/mesh';
import type { KeyRing, RevocationFeed } from '../identity.ts';
import type { JwsAlgorithm, SigningKey } from '../jws.ts';
import { type PassportClaims, signPassport } from '../passport.ts';

export const silent: Logger = createLogger('test', 'silent');

export interface Signer extends SigningKey {
  readonly ring: KeyRing & { refreshed: number; retired: Set<string> };
  jwk(): Record<string, unknown>;
}

export function newSigner(kid = 'k1', algorithm: JwsAlgorithm = 'ES256'): Signer {
  const { publicKey, privateKey } =
    algorithm === 'Ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const retired = new Set<string>();
  const ring = {
    refreshed: 0,
    retired,
    find: (wanted: string) => (wanted === kid && !retired.has(kid) ? publicKey : undefined),
    refresh: () => {
      ring.refreshed += 1;
      return Promise.resolve();
    },
    retire: (gone: string) => void retired.add(gone),
  };
  return { kid, privateKey, ring, jwk: () => ({ ...publicKey.export({ format: 'jwk' }), kid, alg: algorithm, use: 'sig' }) };
}

/** @param nowMs moved by the test; monotonic time is real, since timers are */
export function movableClock(): Clock & { aheadMs: number } {
  const clock = { aheadMs: 0, nowMs: () => Date.now() + clock.aheadMs, monotonicMs: () => performance.now() };
  return clock;
}

export function claims(audience: string, state: 'guest' | 'user', nowMs: number, changes: Partial<PassportClaims> = {}): PassportClaims {
  const nowS = nowMs / 1000;
  return {
    iss: 'cloakroom-auth',
    aud: audience,
    sub: state === 'user' ? 'u_1' : 'g_1',
    sid: 'handle-1',
    epoch: 1,
    gepoch: 0,
    state,
    acr: state === 'user' ? '1' : '0',
    amr: state === 'user' ? ['pwd'] : [],
    auth_time: state === 'user' ? nowS : 0,
    txn: 'txn-1',
    region: 'local',
    iat: nowS,
    exp: nowS + 60,
    ...changes,
  };
}

export const passportOf = (signer: SigningKey, ...given: Parameters<typeof claims>): string => signPassport(claims(...given), signer);

export function emptyFeed(): RevocationFeed & { revoke(handle: string): void; lease: boolean } {
  const revoked = new Set<string>();
  const listeners = new Set<() => void>();
  return {
    lease: true,
    leaseValid() {
      return this.lease;
    },
    leaseAgeMs: () => 0,
    isRevoked: ({ handle }) => revoked.has(handle),
    isTokenRevoked: () => false,
    onRevocation(listener) {
      const told = () => listener({ kind: 'distrust' });
      listeners.add(told);
      return () => listeners.delete(told);
    },
    ready: Promise.resolve(),
    stop: () => Promise.resolve(),
    revoke(handle) {
      revoked.add(handle);
      listeners.forEach((listener) => listener());
    },
  };
}

export async function certificates(names: readonly string[]): Promise<(name: string) => Promise<MeshTls>> {
  const dir = await mkdtemp(join(tmpdir(), 'mesh-'));
  await createDevelopmentCa(dir, names);
  return (name) => readTls(dir, name);
}

export const outgoing = (changes: Partial<OutgoingCall> = {}): OutgoingCall => ({
  budgetMs: 5_000,
  trace: startTrace(randomBytes),
  ...changes,
});

/** These handlers only record that they were reached. */
export function tellingHandlers(service: DescService, reached: string[]): Implementation {
  const handlers = service.methods.map((method) => {
    const unary = () => {
      reached.push(nameOf(method));
      return Promise.resolve({});
    };
    async function* stream() {
      yield await unary();
    }
    return [method.localName, method.methodKind === 'unary' ? unary : stream];
  });
  return implement(service, Object.fromEntries(handlers) as Rpcs<DescService>);
}

/** @returns 'ok' or the code that the server answered with */
export function rawCall(client: Client, method: DescMethod, metadata: Metadata, path = `/${nameOf(method)}`): Promise<string> {
  const asIs = (bytes: Buffer): Buffer => bytes;
  // On a stream of questions the call asks one, which the method that is carried answers.
  const init = method.methodKind === 'bidi_streaming' ? { asked: [{ id: 1, budgetMs: 5_000 }] } : {};
  const request = Buffer.from(toBinary(method.input, create(method.input, init)));
  const options = { deadline: Date.now() + 5_000 };
  const failed = (error: ServiceError) => (error.code === status.UNIMPLEMENTED ? 'UNIMPLEMENTED' : readProblem(error).problem);
  return new Promise((resolve) => {
    if (method.methodKind === 'unary') {
      client.makeUnaryRequest(path, asIs, asIs, request, metadata, options, (error) => resolve(error === null ? 'ok' : failed(error)));
      return;
    }
    const stream = client.makeServerStreamRequest(path, asIs, asIs, request, metadata, options);
    stream.on('data', () => undefined);
    stream.on('error', (error: ServiceError) => resolve(failed(error)));
    stream.on('end', () => resolve('ok'));
  });
}
