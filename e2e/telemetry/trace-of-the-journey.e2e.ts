import { randomBytes } from 'node:crypto';
import { type Device, expect, newPerson, test } from '../kit/device.ts';
import { type ExportedSpan, readSpans } from '../kit/span-sink.ts';
import { e2eProvider, gateways, spansFile } from '../kit/stack.ts';
import { drawTrace, missingEdges, readTable } from './trace-tree.ts';

/**
 * The consequences of a change, up to the open page. A row follows the nearest row above it with less indent, as its child or by a link.
 */
const change = `
  POST /api/cart/lines (server)
    identity (internal)
    cloakroom.cart.v1.CartService/AddItem (client)
      cloakroom.cart.v1.CartService/AddItem (server)
        native: cart view load (client)
        publish cart.events (producer) [ItemAdded]
          process cart.events (consumer) [cart-projector]
            project cart.events (consumer)
              native: cart view apply (client)
              live event cart (producer)
`;

/**
 * Signing in with a guest cart. It goes through the outbox to two services, the guest's log, the
 * user's log, and the page on another device.
 */
const signIn = `
  POST /api/session/login (server)
    cloakroom.auth.v1.AuthService/Login (client)
      cloakroom.auth.v1.AuthService/Login (server)
        argon2 verify (internal)
        transaction (client)
        native: session store create (client)
        outbox session.revocations (internal)
          publish session.revocations (producer) [sessionRevoked]
        outbox identity.events (internal)
          publish identity.events (producer) [guestClaimed]
            process identity.events (consumer) [profile-identity]
            process identity.events (consumer) [cart-claims]
              publish cart.events (producer) [GuestCartClaimed]
                process cart.events (consumer) [cart-projector]
                  project cart.events (consumer)
                    publish cart.events (producer) [GuestJoined]
                      process cart.events (consumer) [cart-projector]
                        project cart.events (consumer)
                          live event cart (producer)
`;

/** It repeats nothing: the trace is that of one request. */
const traced = () => {
  const traceId = randomBytes(16).toString('hex');
  return { traceId, headers: { traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01` } };
};

async function expectTrace(table: string, traceId: string): Promise<ExportedSpan[]> {
  const expected = readTable(table, e2eProvider);
  await expect
    .poll(() => missingEdges(expected, traceId, readSpans(spansFile)), { timeout: 15_000, message: 'every edge of the table' })
    .toEqual([])
    .catch((error: Error) => {
      throw new Error(`${error.message}\n\nThe trace as it came:\n${drawTrace(traceId, readSpans(spansFile))}`, { cause: error });
    });
  return readSpans(spansFile).filter((span) => span.traceId === traceId);
}

/** The live events of a device, as text that grows. */
async function listen(device: Device): Promise<{ text(): string; close(): void }> {
  const cookie = (await device.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
  const gone = new AbortController();
  const response = await fetch(`${gateways[1]}/api/events`, { headers: { cookie }, signal: gone.signal });
  expect(response.status).toBe(200);
  let text = '';
  const reading = (async () => {
    for await (const chunk of response.body!) text += Buffer.from(chunk).toString();
  })();
  reading.catch(() => undefined);
  return { text: () => text, close: () => gone.abort() };
}

test('a change is one trace from the request to the open page', async ({ newDevice, products }) => {
  const device = await newDevice();
  await device.add(products[0]!);
  const page = await listen(device);
  await expect.poll(() => page.text()).toContain('event: cart');
  const { traceId, headers } = traced();
  const body = await device.addition(products[1]!, 1);
  expect((await device.call('POST', '/api/cart/lines', body, { headers })).status).toBe(202);
  await expect.poll(() => page.text()).toContain(`data: {"traceparent":"00-${traceId}-`);
  page.close();
  const spans = await expectTrace(change, traceId);
  const live = spans.find(({ name }) => name === 'live event cart')!;
  const wrong = readTable(change.replace('[ItemAdded]', '[CartCleared]'), e2eProvider);
  expect(missingEdges(wrong, traceId, spans), 'a table that is wrong is told so').toEqual([
    'cloakroom.cart.v1.CartService/AddItem (server) -> publish cart.events (producer) [CartCleared]',
  ]);
  expect(page.text(), 'the page goes on from the live event').toContain(`{"traceparent":"00-${traceId}-${live.spanId}-01"}`);
});

test('a sign-in is one trace through the outbox, the logs of guest and user, to the page of another device', async ({
  newDevice,
  products,
}) => {
  const person = newPerson();
  const phone = await newDevice();
  await phone.register(person);
  await phone.add(products[0]!);
  const page = await listen(phone);
  await expect.poll(() => page.text()).toContain('event: cart');

  const laptop = await newDevice();
  await laptop.add(products[1]!);
  const { traceId, headers } = traced();
  const { email, password } = person;
  expect((await laptop.call('POST', '/api/session/login', { email, password }, { headers })).status).toBe(200);
  await expect.poll(() => page.text(), { timeout: 15_000 }).toContain(`data: {"traceparent":"00-${traceId}-`);
  page.close();
  await expectTrace(signIn, traceId);
});

test('a request that must not be sampled leaves no span anywhere', async ({ newDevice, products }) => {
  const device = await newDevice();
  await device.add(products[0]!);
  const { traceId, headers } = traced();
  const unsampled = { traceparent: headers.traceparent.replace(/01$/, '00') };
  const body = await device.addition(products[1]!, 1);
  expect((await device.call('POST', '/api/cart/lines', body, { headers: unsampled })).status).toBe(202);
  await device.expectCart({ [products[0]!]: 1, [products[1]!]: 1 });
  // A later request of the same device has arrived, so spans of the earlier one would be there too.
  const later = traced();
  const next = await device.addition(products[2]!, 1);
  expect((await device.call('POST', '/api/cart/lines', next, { headers: later.headers })).status).toBe(202);
  const seen = (id: string) => readSpans(spansFile).filter((span) => span.traceId === id).length;
  await expect.poll(() => seen(later.traceId), { timeout: 15_000 }).toBeGreaterThan(5);
  expect(seen(traceId)).toBe(0);
});
