/**
 * Takes the place of cart and catalog behind every front that is compared: bare grpc-js with the mesh's mutual TLS, and one cart
 * and its products in memory. A caller that names a person is verified with the real cart's own verifier (backend.passports.ts),
 * because each new passport costs the service more than the rest of its answer. The floor and the peers name no person. The other
 * work of the real cart costs every front the same.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { AuthService, CartSchema, CartService, CatalogService, GetProductsResponseSchema } from '@cloakroom/contracts';
import { jwksFrom, openKeyRing } from '@cloakroom/identity';
import { connectMesh, readTls } from '@cloakroom/mesh';
import { createLogger } from '@cloakroom/platform';
import { Server, ServerCredentials, type handleUnaryCall } from '@grpc/grpc-js';
import { cartVerifier, verifying } from './backend.passports.ts';

const tlsDir = process.env['TLS_DIR']!;
const read = (file: string): Buffer => readFileSync(join(tlsDir, file));
const asIs = (bytes: Buffer): Buffer => bytes;

const products = ['mug', 'tee', 'lamp'].map((name, index) => ({
  productId: `p-${name}`,
  name: `A ${name} of the benchmark`,
  description: 'Made for being counted.',
  category: 'benchmark',
  price: BigInt(1_000 * (index + 1)),
  currency: 'EUR',
  options: [{ name: 'colour', values: ['blue', 'green'] }],
  stock: 100,
  image: `/images/${name}.svg`,
}));
const cart = create(CartSchema, {
  cartId: 'u_00000000-0000-4000-8000-000000000000',
  lines: products.map(({ productId }, index) => ({
    lineId: `line-${index}`,
    productId,
    options: [{ name: 'colour', value: 'blue' }],
    quantity: index + 1,
    seen: 'c2VlbiBvZiB0aGUgbGluZQ',
  })),
  seen: 'c2VlbiBvZiB0aGUgY2FydA',
});
const answers = {
  cart: Buffer.from(toBinary(CartSchema, cart)),
  products: Buffer.from(toBinary(GetProductsResponseSchema, create(GetProductsResponseSchema, { items: products }))),
  one: Buffer.from(toBinary(GetProductsResponseSchema, create(GetProductsResponseSchema, { items: products.slice(0, 1) }))),
};

const log = createLogger('bench', 'silent');
const auth = connectMesh(AuthService, { address: process.env['AUTH_ADDRESS']!, tls: await readTls(tlsDir, 'cart'), log });
// The key ring opens at once, and asks until auth is there.
const verifier = cartVerifier(openKeyRing({ log, fetchJwks: jwksFrom(auth.client) }));

const getCart = verifying<Buffer, Buffer>(verifier, (_call, done) => done(null, answers.cart));
await serve('cart', Number(process.env['CART_PORT']), CartService.typeName, 'GetCart', getCart);
await serve('catalog', Number(process.env['LISTEN_PORT']), CatalogService.typeName, 'GetProducts', (call, done) =>
  // A product page asks for one id, a cart for several.
  done(null, call.request.length < 16 ? answers.one : answers.products),
);
process.on('SIGTERM', () => process.exit(0));

function serve(name: string, port: number, service: string, method: string, handler: handleUnaryCall<Buffer, Buffer>): Promise<number> {
  const server = new Server();
  const definition = {
    path: `/${service}/${method}`,
    requestStream: false,
    responseStream: false,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  } as const;
  server.addService({ [method]: definition }, { [method]: handler });
  const pair = { private_key: read(`${name}.key`), cert_chain: read(`${name}.pem`) };
  const credentials = ServerCredentials.createSsl(read('ca.pem'), [pair], true);
  return new Promise((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, credentials, (error, bound) => (error === null ? resolve(bound) : reject(error)));
  });
}
