/** Group C on the event log: records that auth did not write, or that it wrote elsewhere or at another time. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { IdentityEventSchema, recordHeaders, RevocationEventSchema, topics, uuidV7 } from '@cloakroom/contracts';
import { type EventLog } from '@cloakroom/event-log';
import { signEvent } from '@cloakroom/identity';
import { expect, newPerson, test, type Device } from '../../e2e/kit/device.ts';
import { dataDir, gateways, whilePaused } from '../../e2e/kit/stack.ts';
import { readAll, signatureOf, withBroker } from './broker.ts';
import { attacker, publicKeys } from '../../e2e/kit/forge.ts';
import { passportFor, shownTo } from '../../e2e/kit/mesh.ts';
import { signedIn, tokenOf } from '../../e2e/kit/person.ts';
import { plain, sessionCookieOf } from '../../e2e/kit/raw.ts';

const newId = (): string => uuidV7(Date.now(), randomBytes(10));

/** A guest with one line in the cart; returns the cart's id. */
async function guestWith(device: Device, productId: string): Promise<string> {
  await device.add(productId, 1);
  return (await device.expectCart({ [productId]: 1 })).cartId;
}

test('C23 a claim that auth did not sign, or signed for something else, takes nobody’s cart', async ({ newDevice, products }) => {
  test.setTimeout(90_000);
  const [mine, theirs] = products as [string, string];
  const [victim, thief, person] = [await newDevice(), await newDevice(), newPerson()];
  const theirCart = await guestWith(victim, theirs);
  const registered = await (await newDevice()).register(person);
  const userId = registered.body.user.id as string;
  await guestWith(thief, mine);
  const [key] = await publicKeys();

  await withBroker(async (broker) => {
    const event = { eventId: newId(), atMs: BigInt(Date.now()) };
    const claim = (guestCartId: string) =>
      toBinary(
        IdentityEventSchema,
        create(IdentityEventSchema, { ...event, event: { case: 'guestClaimed', value: { guestCartId, userId, loginId: newId() } } }),
      );
    const value = Buffer.from(claim(theirCart));
    const real = await readAll(broker, topics.identityEvents);
    const heartbeats = (await readAll(broker, topics.sessionRevocations)).slice(-1);
    const passport = await passportFor(await tokenOf(thief), 'cart');
    const signatures = [
      undefined,
      Buffer.from(''),
      signEvent(topics.identityEvents, value, { kid: 'mine', privateKey: attacker.privateKey }),
      signEvent(topics.identityEvents, value, { kid: key!['kid']!, privateKey: attacker.privateKey }),
      ...[...real.slice(-2), ...heartbeats].map((record) => Buffer.from(signatureOf(record))),
      Buffer.from(passport),
    ];
    await broker.publish(
      topics.identityEvents,
      signatures.map((signature) => ({
        key: userId,
        value,
        ...(signature !== undefined && { headers: { [recordHeaders.signature]: signature } }),
      })),
    );
  });

  // The thief's own sign-in is announced on the same partition. When it has been heard, so were all forged records before it.
  expect((await thief.signIn(person)).status).toBe(200);
  await thief.expectCart({ [mine]: 1 }, 30_000);
  await expect.poll(async () => (await thief.cart()).merge.state, { timeout: 30_000 }).toBe('merged');
  expect((await thief.cart()).lines.map(({ productId }) => productId)).toEqual([mine]);
  await victim.expectCart({ [theirs]: 1 });
  const owner = newPerson();
  expect((await victim.register(owner)).status).toBe(201);
  await victim.expectCart({ [theirs]: 1 }, 30_000);
});

test('C23 a real claim that is published again, under any key, changes no cart', async ({ newDevice, products }) => {
  test.setTimeout(90_000);
  const [first, second] = products as [string, string];
  const [device, person] = [await newDevice(), newPerson()];
  const guestCart = await guestWith(device, first);
  const { body } = await device.register(person);
  await expect.poll(async () => (await device.cart()).merge.state, { timeout: 30_000 }).toBe('merged');
  const cart = await device.cart();
  await device.call('DELETE', '/api/cart', { commandId: newId(), seen: cart.seen });
  await device.expectCart({});

  await withBroker(async (broker) => {
    const claims = (await readAll(broker, topics.identityEvents)).filter((record) => {
      const { event } = fromBinary(IdentityEventSchema, record.value ?? new Uint8Array());
      return event.case === 'guestClaimed' && event.value.guestCartId === guestCart;
    });
    expect(claims).toHaveLength(1);
    const [{ value, headers }] = claims as [(typeof claims)[number]];
    const again = { value: value!, headers: { [recordHeaders.signature]: headers[recordHeaders.signature]! } };
    await broker.publish(topics.identityEvents, [
      { key: body.user.id as string, ...again },
      { key: newId(), ...again },
      { key: body.user.id as string, ...again },
    ]);
  });
  // The claim of the next sign-in, on the same partition, is heard after the repeats.
  const other = await newDevice();
  await guestWith(other, second);
  await other.signIn(person);
  await other.expectCart({ [second]: 1 }, 30_000);
  await device.expectCart({ [second]: 1 });
});

test('C23 an event of auth is no passport, and a passport no signature of an event', async ({ newDevice }) => {
  await (await newDevice()).register(newPerson());
  await withBroker(async (broker) => {
    const records = await readAll(broker, topics.identityEvents);
    const signed = records.filter((record) => signatureOf(record).split('.').length === 3);
    expect(signed.length).toBeGreaterThan(0);
    for (const record of signed.slice(-3)) {
      const [header, , signature] = signatureOf(record).split('.') as [string, string, string];
      const attached = `${header}.${Buffer.from(record.value!).toString('base64url')}.${signature}`;
      for (const service of ['cart', 'profile'] as const) expect(await shownTo(service, attached)).toBe('invalid_passport');
    }
  });
});

const decision = async (token: string): Promise<string> => {
  const answer = await plain('/api/cart', { headers: { cookie: sessionCookieOf(token) } });
  return /session;dur=[\d.]+;desc="([^"]*)"/.exec(String(answer.headers['server-timing']))?.[1] ?? `status ${answer.status}`;
};

/** The gateway logs the offset of a record that auth did not sign. By then it has read everything before that offset. */
function hasRead(offset: bigint): boolean {
  const file = join(dataDir, 'logs', 'gateway-1.log');
  return existsSync(file) && readFileSync(file, 'utf8').includes(`"offset":"${offset}"`);
}

async function publishUnsigned(broker: EventLog, event: MessageInitShape<typeof RevocationEventSchema>['event']): Promise<bigint> {
  const value = toBinary(
    RevocationEventSchema,
    create(RevocationEventSchema, { sequence: 0n, atMs: BigInt(Date.now() + 60_000), event: event! }),
  );
  const [at] = await broker.publish(topics.sessionRevocations, [{ key: 'forged', value: Buffer.from(value) }]);
  return at!.offset;
}

test('C23 forged records on the revocation feed end nobody’s session, and only make the gateway ask', async () => {
  const { token } = await signedIn();
  await expect.poll(() => decision(token), { timeout: 5_000 }).toBe('hybrid hit');
  await withBroker(async (broker) => {
    const devices = JSON.parse((await plain('/api/session/devices', { headers: { cookie: sessionCookieOf(token) } })).body) as {
      handle: string;
    }[];
    const value = {
      tokenHash: '',
      handle: devices[0]!.handle,
      subject: 'u_x',
      revokedAtMs: BigInt(Date.now()),
      forgetAfterMs: 0n,
      ended: true,
    };
    const forged: MessageInitShape<typeof RevocationEventSchema>['event'][] = [
      { case: 'sessionRevoked', value },
      { case: 'globalEpochRaised', value: { epoch: 9_000_000_000_000_000n } },
    ];
    for (const event of forged) {
      const offset = await publishUnsigned(broker, event);
      await expect.poll(() => hasRead(offset), { timeout: 10_000 }).toBe(true);
      // The gateway forgets its whole cache at once, but every session stays valid.
      expect((await plain('/api/cart', { headers: { cookie: sessionCookieOf(token) } })).status).toBe(200);
    }
  });
  await expect.poll(() => decision(token), { timeout: 5_000, message: 'auth’s next heartbeat restores the trust' }).toBe('hybrid hit');
});

test('C23 while auth is silent neither forged nor replayed heartbeats keep the trust alive', async () => {
  test.setTimeout(60_000);
  const { token } = await signedIn();
  await expect.poll(() => decision(token), { timeout: 5_000 }).toBe('hybrid hit');
  await withBroker(async (broker) => {
    const recorded = await readAll(broker, topics.sessionRevocations);
    const heartbeats = recorded
      .filter(
        (record) =>
          fromBinary(RevocationEventSchema, record.value ?? new Uint8Array()).event.case === 'heartbeat' && signatureOf(record) !== '',
      )
      .slice(-20);
    expect(heartbeats.length).toBeGreaterThan(5);
    await whilePaused('auth', async () => {
      await expect.poll(() => decision(token), { timeout: 8_000 }).toBe('hybrid degraded');
      const again = heartbeats.map(({ value, headers }) => ({
        key: 'heartbeat',
        value: value!,
        headers: { [recordHeaders.signature]: headers[recordHeaders.signature]! },
      }));
      await broker.publish(topics.sessionRevocations, again);
      expect(await decision(token), 'replayed').toBe('hybrid degraded');
      const offset = await publishUnsigned(broker, {
        case: 'heartbeat',
        value: { globalEpoch: 0n, boot: 'forged', beatMs: BigInt(Date.now()) },
      });
      await expect.poll(() => hasRead(offset), { timeout: 10_000 }).toBe(true);
      expect(await decision(token), 'replayed and forged').not.toBe('hybrid hit');
    });
  });
  await expect.poll(() => decision(token), { timeout: 20_000 }).toBe('hybrid hit');
  expect(gateways).toHaveLength(2);
});
