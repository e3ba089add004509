/** The module puts cart together here, with fakes where other processes stand. */
import { randomBytes } from 'node:crypto';
import { Test } from '@nestjs/testing';
import { CartService, isProblem, problem } from '@cloakroom/contracts';
import { EmbeddedEventLog } from '@cloakroom/event-log';
import { keysToken, signPassport } from '@cloakroom/identity';
import { connectMesh, MeshTransport, ServiceModule } from '@cloakroom/mesh';
import { type Running, startTrace, systemClock } from '@cloakroom/platform';
import { afterEach, expect, it, vi } from 'vitest';
import { newAuthKey, newCommandId, newUser, personContext, quiet } from './cart.harness.ts';
import { CartModule, readConfig, start } from './cart.module.ts';
import { viewToken } from './injection.ts';
import { MemoryCartView } from './projection/cart.view.memory.ts';
import { ViewUnavailable } from './projection/cart.view.ts';

const parts = { log: quiet, clock: systemClock };
// No process answers at auth's address.
const config = readConfig({
  REPLICA: '1',
  LISTEN_PORT: '0',
  ADMIN_PORT: '0',
  MESH_TLS: 'off',
  EVENT_LOG: 'embedded',
  CART_VIEW: 'memory',
  AUTH_ADDRESS: 'localhost:1',
});
const auth = newAuthKey();
const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
  vi.restoreAllMocks();
});

function outgoing(subject: string) {
  const { epoch, state, acr } = personContext(subject).identity;
  const iat = systemClock.nowMs() / 1000;
  const claims = { iss: 'cloakroom-auth', aud: 'cart', sub: subject, sid: 'h', epoch, gepoch: 0, state, acr, amr: [] } as const;
  const passport = signPassport({ ...claims, auth_time: iat, txn: 't', region: 'local', iat, exp: iat + 30 }, auth.key);
  return { budgetMs: 10_000, trace: startTrace(randomBytes), passport };
}

async function serve(view: object = new MemoryCartView()) {
  const module = await Test.createTestingModule({ imports: [ServiceModule.of(CartModule.with(config, parts), [CartService])] })
    .overrideProvider(keysToken)
    .useValue(auth.ring)
    .overrideProvider(viewToken)
    .useValue(view)
    .compile();
  const strategy = module.get(MeshTransport);
  const app = module.createNestMicroservice({ strategy, logger: false });
  await app.listen();
  const { client, close } = connectMesh(CartService, { address: `127.0.0.1:${strategy.port}`, tls: undefined, log: quiet });
  stops.push(() => app.close(), close);
  return client;
}

const item = { productId: 'mug', options: [], quantity: 2, seen: '' };

it('adds, projects and shows a line, without auth once the key is known', async () => {
  const client = await serve();
  const call = outgoing(newUser());
  const added = await client.addItem(call, { ...item, commandId: newCommandId() });
  if (isProblem(added)) throw new Error(added.problem);
  await vi.waitFor(async () => {
    const cart = await client.getCart({ ...call, consistency: added.consistencyToken }, {});
    expect(isProblem(cart) ? cart : cart.lines.map(({ productId, quantity }) => [productId, quantity])).toEqual([['mug', 2]]);
  });
});

it('refuses a command without a passport', async () => {
  const client = await serve();
  expect(await client.addItem({ ...outgoing(newUser()), passport: undefined }, { ...item, commandId: newCommandId() })).toEqual(
    problem('session_required'),
  );
});

it('takes writes while the view is away', async () => {
  const away = () => Promise.reject(new ViewUnavailable('gone'));
  const view = Object.assign(new MemoryCartView(), { load: away });
  const client = await serve(view);
  const call = outgoing(newUser());
  expect(await client.addItem(call, { ...item, commandId: newCommandId() })).toMatchObject({ lineId: expect.any(String) });
  expect(await client.getCart(call, {})).toMatchObject({ problem: 'unavailable' });
});

it('does not start without its controller', async () => {
  const module = { ...CartModule.with(config, parts), controllers: [] };
  const compiled = await Test.createTestingModule({ imports: [ServiceModule.of(module, [CartService])] }).compile();
  const app = compiled.createNestMicroservice({ strategy: compiled.get(MeshTransport), logger: false });
  await expect(app.listen()).rejects.toThrow('CartService/AddItem has no handler');
  await app.close();
});

it('stops every reader of the log before the view and the log, which close last', async () => {
  const seen: string[] = [];
  const subscribe = EmbeddedEventLog.prototype.subscribe;
  vi.spyOn(EmbeddedEventLog.prototype, 'subscribe').mockImplementation(async function (this: EmbeddedEventLog, ...given) {
    const subscription = await subscribe.apply(this, given);
    const stop = () => subscription.stop().then(() => void seen.push('reader'));
    return { ...subscription, stop };
  });
  vi.spyOn(EmbeddedEventLog.prototype, 'close').mockImplementation(() => Promise.resolve(void seen.push('log')));
  vi.spyOn(MemoryCartView.prototype, 'close').mockImplementation(() => Promise.resolve(void seen.push('view')));
  vi.spyOn(MeshTransport.prototype, 'close').mockImplementation(() => Promise.resolve(void seen.push('mesh')));
  const running: Running = await start(config, parts);
  await running.stop();
  // The projector, the claims, the orders; the feed of revocations reads the log too.
  expect(seen.filter((what) => what === 'reader')).toHaveLength(4);
  expect(seen.indexOf('mesh')).toBe(0);
  expect(seen.indexOf('view')).toBeGreaterThan(3);
  expect(seen.at(-1)).toBe('log');
});
