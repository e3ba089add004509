/** Begins and ends sessions as a device does it, and tries ended ones. */
import { uuidV7 } from '@cloakroom/contracts';
import type { SignedIn } from '@cloakroom/contracts/http';
import type { EndedSession, ShopDevice, ShopPerson, ShopSession, Told } from './shop-device.ts';
import { readOutput } from './shop-cart.ts';

/** A person gives up after so many unanswered tries. */
const attemptMax = 4;
const retryMs = 300;

const userSession = (id: string, { name, home }: ShopPerson): ShopSession => ({ id, kind: 'user', cart: `user:${name}`, ...at(home) });
const at = (home: string | undefined) => (home === undefined ? {} : { home });

/** A first write would begin a session too, but two parallel writes would begin two. */
export async function beginGuest(device: ShopDevice): Promise<void> {
  const id = device.nextSessionId();
  const { regions, gateways } = device.shared;
  const begunAt = device.random.pick(gateways);
  const { operation } = await device.ask({
    kind: 'begin-guest',
    method: 'POST',
    path: '/api/session/guest',
    body: {},
    gateway: begunAt,
    input: { session: id, cart: `guest:${id}` },
  });
  if (operation.outcome === 'ok') device.session = { id, kind: 'guest', cart: `guest:${id}`, ...at(regions && begunAt) };
}

/** @returns whether the account is there */
export async function register(device: ShopDevice): Promise<boolean> {
  const { person } = device;
  for (let attempt = 1; attempt <= attemptMax; attempt++) {
    const id = device.nextSessionId();
    const { email, password } = person;
    const told = await device.ask({
      kind: 'register',
      method: 'POST',
      path: '/api/session/register',
      body: { email, password, name: person.name },
      ...(person.home !== undefined && { gateway: person.home }),
      input: { session: id, cart: `user:${person.name}`, attempt },
    });
    if (told.operation.outcome === 'ok') device.session = userSession(id, person);
    // After a lost answer: the account exists.
    if (told.operation.outcome === 'ok' || told.operation.error === 'email_taken') return true;
    await device.shared.time.sleep(retryMs);
  }
  return false;
}

/** The sign-in claims the guest's cart. The guest's cookie has ended when the answer comes. */
export async function login(device: ShopDevice, person: ShopPerson): Promise<boolean> {
  const before = device.session;
  const cookies = device.cookies();
  if (person !== device.person) handOn(device);
  device.person = person;
  for (let attempt = 1; attempt <= attemptMax; attempt++) {
    const id = device.nextSessionId();
    const guest = device.session?.kind === 'guest' ? device.session : undefined;
    const { operation } = await device.ask({
      kind: 'login',
      method: 'POST',
      path: '/api/session/login',
      body: { email: person.email, password: person.password },
      // A region claims the carts of its own guests.
      ...(guest?.home !== undefined && { gateway: guest.home }),
      input: { session: id, cart: `user:${person.name}`, attempt, ...(guest && { guest: guest.id, guestCart: guest.cart }) },
      output: ({ body }) => ({ merge: (body as SignedIn).merge?.state ?? 'none' }),
    });
    if (operation.outcome === 'ok') {
      if (before !== undefined) device.ended.push({ session: before, person: person.name, cookies });
      if (before?.kind === 'guest' && device.session === before) device.became.set(before.id, person.name);
      device.session = userSession(id, person);
      return true;
    }
    await device.shared.time.sleep(retryMs);
  }
  return false;
}

/** The next person's page knows nothing of what was shown, or of commands that were still to be sent again. */
function handOn(device: ShopDevice): void {
  device.forgetCart();
  device.leftBehind = device.pending.filter(({ command, session }) => command.kind === 'add' && session.kind === 'user');
  device.pending = [];
}

/** A browser keeps its cookie until the answer has come. */
export async function logout(device: ShopDevice): Promise<boolean> {
  const { session, person } = device;
  if (session === undefined) return true;
  const cookies = device.cookies();
  for (let attempt = 1; attempt <= attemptMax; attempt++) {
    const { operation } = await device.ask({
      kind: 'logout',
      method: 'POST',
      path: '/api/session/logout',
      body: {},
      input: { session: session.id, attempt },
    });
    if (operation.outcome === 'ok') {
      device.ended.push({ session, person: person.name, cookies });
      device.forgetSession();
      return true;
    }
    if (device.session === undefined) return true;
    await device.shared.time.sleep(retryMs);
  }
  return false;
}

/** The token is rotated: the session continues under a new cookie, and the old cookie has ended. */
export async function reauthenticate(device: ShopDevice): Promise<boolean> {
  const { session, person } = device;
  if (session === undefined) return false;
  const id = device.nextSessionId();
  const cookies = device.cookies();
  const { operation } = await device.ask({
    kind: 'reauthenticate',
    method: 'POST',
    path: '/api/session/reauthenticate',
    body: { password: person.password },
    input: { session: id, replaces: session.id },
  });
  if (operation.outcome !== 'ok' || device.session === undefined) return false;
  device.ended.push({ session, person: person.name, cookies });
  device.session = userSession(id, person);
  return true;
}

/** Uses an ended cookie as a thief would, at any gateway. A command that is accepted within the bound counts like any other. */
export async function useEnded(device: ShopDevice, { session, person, cookies }: EndedSession, productId: string): Promise<Told> {
  const same = { session: session.id, cart: session.cart };
  if (device.random.chance(0.5)) {
    return device.ask({
      kind: 'use-ended-session',
      method: 'GET',
      path: '/api/cart',
      cookies,
      person,
      input: { ...same, call: 'read' },
      output: (answer) => readOutput(answer, device.shared.names),
    });
  }
  const commandId = uuidV7(Math.floor(Date.now()), device.random.bytes(10));
  const name = device.nextCommandName();
  device.shared.names.add(commandId, name);
  return device.ask({
    kind: 'use-ended-session',
    method: 'POST',
    path: '/api/cart/lines',
    cookies,
    person,
    gateway: device.random.pick(device.shared.gateways),
    body: { commandId, productId, quantity: 1 },
    input: { ...same, call: 'add', commandId: name, productId, quantity: 1, attempt: 1 },
  });
}
