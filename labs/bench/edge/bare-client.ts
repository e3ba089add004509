/**
 * The client with which the floor and the peers ask the backend: bare grpc-js over the mesh's mutual
 * TLS. It makes the same JSON as the gateway.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  type Cart,
  CartSchema,
  CartService,
  CatalogService,
  GetProductsRequestSchema,
  GetProductsResponseSchema,
  type Product,
} from '@cloakroom/contracts';
import { ChannelCredentials, Client } from '@grpc/grpc-js';

const asIs = (bytes: Buffer): Buffer => bytes;

export interface BareBackend {
  /** The body of `GET /api/cart`. */
  cart(): Promise<string>;
  /** The body of `GET /api/products/p-mug`. */
  product(): Promise<string>;
}

export async function connectBare(env: NodeJS.ProcessEnv): Promise<BareBackend> {
  const tls = (name: string): Buffer => readFileSync(join(env['TLS_DIR']!, name));
  const credentials = ChannelCredentials.createFromSecureContext(
    createSecureContext({ ca: tls('ca.pem'), cert: tls('gateway.pem'), key: tls('gateway.key'), minVersion: 'TLSv1.3' }),
  );
  const connect = (address: string, name: string): Client =>
    new Client(address, credentials, { 'grpc.ssl_target_name_override': name, 'grpc.service_config_disable_resolution': 1 });
  const carts = connect(env['CART_ADDRESS']!, 'cart');
  const catalog = connect(env['CATALOG_ADDRESS']!, 'catalog');
  const call = <Answer>(client: Client, path: string, decode: (bytes: Buffer) => Answer, request: Buffer): Promise<Answer> =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest(path, asIs, decode, request, (error, answer) => (error === null ? resolve(answer!) : reject(error)));
    });
  const getProducts = (productIds: string[]): Promise<Product[]> => {
    const request = Buffer.from(toBinary(GetProductsRequestSchema, create(GetProductsRequestSchema, { productIds })));
    const decode = (bytes: Buffer) => fromBinary(GetProductsResponseSchema, bytes);
    return call(catalog, `/${CatalogService.typeName}/GetProducts`, decode, request).then(({ items }) => items);
  };
  const nothing = Buffer.alloc(0);
  // Product data is kept, as the gateway keeps it.
  const known = new Map((await getProducts(['p-mug', 'p-tee', 'p-lamp'])).map((product) => [product.productId, product]));
  return {
    async cart() {
      const cart = await call(carts, `/${CartService.typeName}/GetCart`, (bytes) => fromBinary(CartSchema, bytes), nothing);
      return JSON.stringify(cartBody(cart, known));
    },
    async product() {
      return JSON.stringify(productBody((await getProducts(['p-mug']))[0]!));
    },
  };
}

function cartBody(cart: Cart, products: ReadonlyMap<string, Product>) {
  const lines = cart.lines.map((line) => {
    const product = products.get(line.productId)!;
    return {
      lineId: line.lineId,
      productId: line.productId,
      options: Object.fromEntries(line.options.map(({ name, value }) => [name, value])),
      name: product.name,
      image: product.image,
      quantity: line.quantity,
      unitPrice: Number(product.price),
      currency: product.currency,
      available: true,
      inStock: product.stock,
      seen: line.seen,
    };
  });
  return {
    cartId: cart.cartId,
    lines,
    coupons: cart.coupons.map(({ code, seen }) => ({ code, seen })),
    seen: cart.seen,
    subtotal: lines.reduce((sum, line) => sum + line.quantity * line.unitPrice, 0),
    currency: 'EUR',
    stale: cart.stale,
    behind: Number(cart.behind),
    incomplete: cart.incomplete,
    merge: { state: 'none' },
  };
}

function productBody({ productId, name, description, category, price, currency, options, stock, image }: Product) {
  return {
    productId,
    name,
    description,
    category,
    price: Number(price),
    currency,
    options: options.map((option) => ({ name: option.name, values: [...option.values] })),
    stock,
    image,
  };
}
