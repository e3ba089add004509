/**
 * Two services over gRPC. `front` knows the person, and signs a passport for `orders`. `orders` believes the passport alone, by keys that it fetches
 * from `front`. Both run in this process, so that you can try them.
 */
import assert from 'node:assert/strict';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { isProblem } from '@cloakroom/contracts';
import { createPassportVerifier, openKeyRing, passportIssuer, signPassport } from '@cloakroom/identity';
import { readCallMetadata, writeCallMetadata } from '@cloakroom/mesh';
import { createLogger, systemClock as clock } from '@cloakroom/platform';
import * as grpc from '@grpc/grpc-js';

/** One method without a .proto file: text goes in, text comes out. Between machines, replace `createInsecure` by TLS. */
type Method = (request: string, metadata: grpc.Metadata) => Promise<string>;
const [toBytes, toText] = [(value: string) => Buffer.from(value), (bytes: Buffer) => bytes.toString()];

function call(port: number, path: string, request: string, metadata = new grpc.Metadata()): Promise<string> {
  const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  return new Promise<string>((resolve, reject) => {
    const settle = (error: grpc.ServiceError | null, value?: string) => (error === null ? resolve(value ?? '') : reject(error));
    client.makeUnaryRequest(path, toBytes, toText, request, metadata, { deadline: Date.now() + 5_000 }, settle);
  }).finally(() => client.close());
}

async function serve(methods: Record<string, Method>): Promise<{ port: number; stop: () => void }> {
  const server = new grpc.Server();
  for (const [path, method] of Object.entries(methods)) {
    const handler: grpc.handleUnaryCall<string, string> = ({ request, metadata }, answer) =>
      void method(request, metadata).then((value) => answer(null, value), answer);
    server.register(path, handler, toBytes, toText, 'unary');
  }
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))),
  );
  return { port, stop: () => server.forceShutdown() };
}

// front: the only one with the private key. Your own session says who the person is; here the request does.
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const life = { epoch: 1, gepoch: 1, acr: '', amr: [], auth_time: 0, region: 'local' };
const passportFor = (aud: string, sub: string): string => {
  const iat = clock.nowMs() / 1000;
  const claims = { iss: passportIssuer, aud, sub, sid: 'h1', state: 'guest', txn: randomUUID(), ...life, iat, exp: iat + 60 } as const;
  return signPassport(claims, { kid: 'k1', privateKey });
};
const front = await serve({
  '/demo.Front/Keys': async () => JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1' }] }),
  '/demo.Front/MyOrders': (sub) =>
    call(orders.port, '/demo.Orders/List', 'open', writeCallMetadata({ passport: passportFor('orders', sub) })),
});

// orders: takes nobody's word for it.
const keys = openKeyRing({ fetchJwks: () => call(front.port, '/demo.Front/Keys', 'all'), log: createLogger('orders', 'silent') });
const verifier = createPassportVerifier({ audience: 'orders', keys, clock });
const orders = await serve({
  '/demo.Orders/List': async (which, metadata) => {
    const carried = readCallMetadata(metadata);
    const person = isProblem(carried) ? carried : await verifier.verify(carried.passport ?? '');
    if (isProblem(person)) throw Object.assign(new Error(person.problem), { code: grpc.status.UNAUTHENTICATED });
    return `${which} orders of ${person.subject}`;
  },
});

assert.equal(await call(front.port, '/demo.Front/MyOrders', 'g_ada'), 'open orders of g_ada');
const stolen = writeCallMetadata({ passport: passportFor('cart', 'g_ada') }); // good, and for another service
for (const metadata of [stolen, new grpc.Metadata()])
  await assert.rejects(call(orders.port, '/demo.Orders/List', 'open', metadata), /invalid_passport/);
keys.stop();
[front, orders].forEach(({ stop }) => stop());
