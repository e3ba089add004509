import { untilCalm } from '../kit/calm.ts';
import type { Person } from '../kit/device.ts';
import { chooseGoods, countOrders, type Crowd, gather, type Goods, quantityOf, untilRefused } from './crowd.ts';
import { type Asked, checkOut, probe } from './probe.ts';
import { expect, type Stage, test } from './stage.ts';
import { failureMatrix, type Gone, failureOperations as operations } from '@cloakroom/contracts';
import { type Seen, Visitor } from './visitor.ts';

for (const gone of failureMatrix) {
  for (const way of gone.ways) {
    test(`${gone.part} is ${way}: every operation, in every mode, does what the failure matrix says`, async ({ stage }) => {
      test.setTimeout(400_000);
      await stage.untilHealthy();
      const goods = await chooseGoods(stage);
      const crowd = await gather(stage, goods);
      const { visitor: asker } = crowd.holders.find(({ mode, email }) => mode === 'reference' && email !== undefined)!;
      const calm = () => untilCalm((gateway) => asker.must(gateway, 'GET /api/session', 200), stage.gateways);
      await calm();
      const giveBack = await stage.takeAway(gone.part, way);
      let asked: Asked;
      try {
        if (gone.leaseEnds) await stage.untilLeased(false);
        // The table says what lasts. A breaker may have opened on slow answers when the part went. It closes
        // again where auth does not need the lost part.
        if (!behindAuth.has(gone.part)) await calm();
        asked = await probe(gone, crowd, goods, stage.gateways);
        // The answer to the logout does not matter: an accepted sign-out holds, also while the part is gone.
        for (const { holder, accepted } of asked.logouts) if (accepted) await untilRefused(stage, holder);
      } finally {
        await giveBack();
      }
      await stage.untilHealthy();
      await expectNothingLost(gone, crowd, asked, goods, stage);
      for (const { stream } of crowd.streams) stream.close();
    });
  }
}

const behindAuth: ReadonlySet<string> = new Set(['auth', 'redis-sessions', 'postgres']);

const servedAgain = ['public', 'cartRead', 'profileRead', 'ordersRead', 'sensitive'] as const;
const ofUsers: ReadonlySet<string> = new Set(['ordersRead', 'sensitive']);

/** Once the part is back, every session and cart is unchanged, and refused requests can be repeated. */
async function expectNothingLost(gone: Gone, crowd: Crowd, asked: Asked, goods: Goods, stage: Stage): Promise<void> {
  const [here] = stage.gateways;
  for (const { holder, body } of asked.commands) {
    // Accepted commands are repeated too: a command id counts once.
    await untilStatus(() => holder.visitor.call(holder.gateway, operations.cartWrite.request, 5_000, body), 202, `${holder.name} repeats`);
  }
  for (const { name, visitor, gateway, email } of crowd.holders) {
    const { body } = await visitor.must(gateway, 'GET /api/session', 200);
    expect.soft(body.user?.email, `${name} is still signed in`).toBe(email);
    expect.soft(body.state, name).toBe(email === undefined ? 'guest' : 'user');
    // Every gateway serves again: the circuit breakers of both gateways have closed.
    for (const operation of servedAgain) {
      if (!ofUsers.has(operation) || email !== undefined) await visitor.must(gateway, operations[operation].request, 200);
    }
  }
  await expectOrderedOnce(crowd, goods);
  for (const [cartId, before] of crowd.counted) {
    const holder = crowd.holders.find((one) => one.cartId === cartId)!;
    const added = new Set(asked.commands.filter((one) => one.holder.cartId === cartId).map(({ body }) => body.commandId)).size;
    const quantity = async () => quantityOf((await holder.visitor.must(holder.gateway, 'GET /api/cart', 200)).body, goods.counted);
    const counted = expect.poll(quantity, { timeout: 90_000, message: `${holder.name}: every command counts once` });
    // In jwt a signed-out session goes on writing until its token ends.
    await (holder.mode === 'jwt' ? counted.toBeGreaterThanOrEqual(before + added) : counted.toBe(before + added));
  }
  for (const { holder, accepted } of asked.logins) await expectCartKept(holder.visitor, here, holder.cartId, accepted, goods);
  for (const { holder, accepted } of asked.logouts) {
    const { body } = await holder.visitor.must(here, 'GET /api/session', 200);
    // Without its store auth notes a sign-out but cannot acknowledge it, so the sign-out may take effect.
    if (!accepted && gone.part !== 'redis-sessions') expect.soft(body.state, `${holder.name} was not signed out`).not.toBe('none');
  }
  for (const { person, accepted } of asked.registrations) if (!accepted) await expectRegistrable(person, here);
}

/** Whatever the answers were while the part was gone: each key has exactly one placed order, and the carts let go of its lines. */
async function expectOrderedOnce({ holders, ordered }: Crowd, goods: Goods): Promise<void> {
  const buyers = holders.filter(({ order }) => order !== undefined);
  for (const holder of buyers) await untilStatus(() => checkOut(holder), 201, `${holder.name} orders again`);
  for (const [cartId, before] of ordered) {
    const theirs = buyers.filter((holder) => holder.cartId === cartId);
    const [holder] = theirs as [(typeof theirs)[number]];
    expect.soft(await countOrders(holder), `${holder.name}: an order for each key`).toBe(before + theirs.length);
    const left = async () => quantityOf((await holder.visitor.must(holder.gateway, 'GET /api/cart', 200)).body, goods.ordered);
    await expect.poll(left, { timeout: 90_000, message: `${holder.name}: what was ordered has left the cart` }).toBe(0);
  }
}

async function untilStatus(ask: () => Promise<Seen>, status: number, message: string): Promise<void> {
  await expect.poll(async () => (await ask()).status, { timeout: 90_000, intervals: [100, 250, 500], message }).toBe(status);
}

/** A guest whose sign-in was refused keeps session and cart. After an accepted sign-in the guest's cart has joined. */
async function expectCartKept(visitor: Visitor, gateway: string, guestCart: string, signedIn: boolean, { brought }: Goods): Promise<void> {
  const cart = async () => (await visitor.must(gateway, 'GET /api/cart', 200)).body;
  if (!signedIn) {
    const { cartId, lines } = await cart();
    expect.soft([cartId, quantityOf({ lines }, brought)], 'a guest whose sign-in was refused keeps everything').toEqual([guestCart, 1]);
    return;
  }
  await expect.poll(async () => (await cart()).merge, { timeout: 90_000 }).toMatchObject({ state: 'merged', from: guestCart });
}

/** A refused registration was not half done. The same person can register again, or sign in if the account was made already. */
async function expectRegistrable(person: Person, gateway: string): Promise<void> {
  const again = await new Visitor().call(gateway, operations.register.request, 5_000, person);
  if (again.status === 201) return;
  expect.soft(again.body.code).toBe('email_taken');
  await new Visitor().must(gateway, operations.login.request, 200, { email: person.email, password: person.password });
}
