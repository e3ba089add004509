/** Health and reflection, asked by a client of grpc-js as tools ask. */
import { Client, credentials, makeGenericClientConstructor } from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import { CartService } from '@cloakroom/contracts';
import { createLogger, type Readiness, systemClock } from '@cloakroom/platform';
import { afterEach, expect, it } from 'vitest';
import { implement, type Rpcs } from './rpc.ts';
import { serveMesh } from './serve-service.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function serve(readyForTools?: () => Promise<Readiness>): Promise<string> {
  const handlers = Object.fromEntries(CartService.methods.map(({ localName }) => [localName, () => Promise.resolve({})]));
  const server = await serveMesh({
    name: 'cart',
    port: 0,
    tls: undefined,
    services: [implement(CartService, handlers as unknown as Rpcs<typeof CartService>)],
    admission: {
      admit: () => Promise.resolve({ identity: undefined }),
      standing: () => undefined,
      onRevocation: () => () => undefined,
    },
    clock: systemClock,
    log: createLogger('test', 'silent'),
    readyForTools,
  });
  closing.push(() => server.stop());
  return `localhost:${server.port}`;
}

interface Watching {
  on(event: 'data', listener: (answer: { status: string }) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  cancel(): void;
}
interface Health extends Client {
  check(request: object, answer: (error: { code: number } | null, value?: { status: string }) => void): void;
  watch(request: object): Watching;
}

function healthOf(address: string): Health {
  const Made = makeGenericClientConstructor(healthService as never, 'Health');
  const client = new Made(address, credentials.createInsecure()) as unknown as Health;
  closing.push(() => client.close());
  return client;
}
const check = (client: Health, service: string) =>
  new Promise<string>((resolve) => client.check({ service }, (error, value) => resolve(error ? `grpc ${error.code}` : value!.status)));

/** One question of reflection. @param field 7 lists services, 4 finds the file of a symbol, 3 the file of a name */
function reflect(address: string, field: 3 | 4 | 7, text: string): Promise<string> {
  const client = new Client(address, credentials.createInsecure());
  closing.push(() => client.close());
  const asIs = (bytes: Buffer): Buffer => bytes;
  return new Promise((resolve) => {
    const stream = client.makeBidiStreamRequest('/grpc.reflection.v1.ServerReflection/ServerReflectionInfo', asIs, asIs);
    stream.on('data', (answer: Buffer) => resolve(answer.toString('latin1')));
    stream.on('error', ({ code }: Error & { code?: number }) => resolve(`grpc ${code}`));
    stream.write(Buffer.concat([Buffer.from([(field << 3) | 2, text.length]), Buffer.from(text)]));
    stream.end();
  });
}

it('reflection lists the services of the contract, and describes their messages', async () => {
  const address = await serve(() => Promise.resolve({}));
  expect(await reflect(address, 7, '*')).toContain('cloakroom.cart.v1.CartService');
  const file = await reflect(address, 4, 'cloakroom.cart.v1.CartService');
  for (const name of ['AddItemRequest', 'command_id']) expect(file).toContain(name);
  // Files that a file imports are asked for by their names.
  expect(await reflect(address, 3, 'cloakroom/policy/v1/policy.proto')).toContain('MethodPolicy');
  expect(await reflect(address, 3, 'google/protobuf/descriptor.proto')).toContain('FileDescriptorProto');
});

it('health follows readiness, for the server and for each service', async () => {
  const parts: Record<string, { ok: boolean }> = { view: { ok: true } };
  const client = healthOf(await serve(() => Promise.resolve(parts)));
  const both = () => Promise.all([check(client, ''), check(client, 'cloakroom.cart.v1.CartService')]);
  expect(await both()).toEqual(['SERVING', 'SERVING']);
  parts['view'] = { ok: false };
  expect(await both()).toEqual(['NOT_SERVING', 'NOT_SERVING']);
  parts['view'] = { ok: true };
  expect(await both()).toEqual(['SERVING', 'SERVING']);
  expect(await check(client, 'no.such.Service')).toBe('grpc 5');
});

it('a watcher hears of a change, and a look that fails is not ready', async () => {
  let ready: () => Promise<Readiness> = () => Promise.resolve({ view: { ok: true } });
  const client = healthOf(await serve(() => ready()));
  const watching = client.watch({ service: '' });
  watching.on('error', () => undefined);
  const heard: string[] = [];
  const changed = new Promise<void>((resolve) =>
    watching.on('data', ({ status }) => {
      heard.push(status);
      if (status === 'SERVING') ready = () => Promise.reject(new Error('gone'));
      if (status === 'NOT_SERVING') resolve();
    }),
  );
  await changed;
  watching.cancel();
  expect(heard.slice(-2)).toEqual(['SERVING', 'NOT_SERVING']);
});

it('neither exists without a local shop', async () => {
  const address = await serve();
  expect(await check(healthOf(address), '')).toBe('grpc 12');
  expect(await reflect(address, 7, '*')).toBe('grpc 12');
});
