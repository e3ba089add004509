/** A unary call keeps these on its way: deadline, cancellation, its own context, and an outcome in words. */
import { createServer, type Server as TcpServer } from 'node:net';
import { randomBytes } from 'node:crypto';
import { AuthService, CatalogService, isProblem, problem, type Problem, ProfileService } from '@cloakroom/contracts';
import { watchCrowd } from '@cloakroom/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  connectMesh,
  forward,
  type Rpcs,
  implement,
  isDeadlineReason,
  type MeshClient,
  type MeshServer,
  type MeshTls,
  person,
  type RequestContext,
  serveMesh,
  type Timing,
} from '@cloakroom/mesh';
import { createLogger, type Logger, startTrace } from '@cloakroom/platform';
import { certificates, movableClock, newSigner, outgoing, passportOf, silent } from './mesh.fixture.ts';
import { openAdmission } from '../admission.ts';
import { createPassportVerifier } from '../passport.ts';

const signer = newSigner();
const clock = movableClock();
const open: { stop?(): unknown; close?(): unknown }[] = [];
const tlsOf = await certificates(['gateway', 'profile', 'catalog', 'auth']);

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await (one.stop?.() ?? one.close?.());
});

type ProfileHandlers = Partial<Rpcs<typeof ProfileService>>;
type CatalogHandlers = Partial<Rpcs<typeof CatalogService>>;
const unused = () => Promise.resolve(problem('not_found'));

async function serve(
  name: string,
  services: Parameters<typeof serveMesh>[0]['services'],
  options: { tls?: MeshTls | undefined; log?: Logger; port?: number } = {},
) {
  const verifier = createPassportVerifier({ audience: name, keys: signer.ring, clock });
  const tls = 'tls' in options ? options.tls : await tlsOf(name);
  const server: MeshServer = await serveMesh({
    name,
    port: options.port ?? 0,
    tls,
    services,
    admission: openAdmission(verifier, clock),
    clock,
    log: options.log ?? silent,
  });
  open.push(server);
  return server;
}

const profileWith = (handlers: ProfileHandlers) =>
  implement(ProfileService, { getProfile: unused, updateProfile: unused, recordView: unused, ...handlers });
const catalogWith = (handlers: CatalogHandlers) =>
  implement(CatalogService, {
    listProducts: unused,
    suggest: unused,
    getProducts: unused,
    reserveStock: unused,
    releaseStock: unused,
    ...handlers,
  });

const usual: NonNullable<Parameters<typeof serve>[2]> = {};

/** Waits for the connection, before the time of a call counts. A machine with other work takes longer for its handshake than a call may take. */
async function isThere(ask: () => Promise<object>): Promise<void> {
  await vi.waitFor(async () => expect(await ask()).toEqual(problem('not_found')));
}

async function profile(handlers: ProfileHandlers, options = usual): Promise<MeshClient<typeof ProfileService>> {
  const server = await serve('profile', [profileWith(handlers)], options);
  const tls = 'tls' in options ? undefined : await tlsOf('gateway');
  const connection = connectMesh(ProfileService, { address: `localhost:${server.port}`, tls, log: options.log ?? silent });
  open.push(connection);
  if (options === usual) await isThere(() => connection.client.recordView(outgoing({ passport: guest() }), {}));
  return connection.client;
}

async function catalog(handlers: CatalogHandlers): Promise<MeshClient<typeof CatalogService>> {
  const server = await serve('catalog', [catalogWith(handlers)]);
  const connection = connectMesh(CatalogService, { address: `localhost:${server.port}`, tls: await tlsOf('gateway'), log: silent });
  open.push(connection);
  await isThere(() => connection.client.suggest(outgoing(), {}));
  return connection.client;
}

const guest = (changes = {}) => passportOf(signer, 'profile', 'guest', clock.nowMs(), changes);
const never = (ctx: RequestContext) =>
  new Promise<never>((_, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason as Error)));

describe('a deadline', () => {
  it('shrinks through two hops, and each hop shows in the timing', async () => {
    const left: number[] = [];
    const second = await catalog({
      listProducts: async (ctx) => {
        left.push(ctx.deadline.remainingMs());
        return {};
      },
    });
    const first = await profile({
      getProfile: async (ctx) => {
        left.push(ctx.deadline.remainingMs());
        await new Promise((resolve) => setTimeout(resolve, 30));
        const listed = await second.listProducts(forward(ctx), {});
        return isProblem(listed) ? listed : {};
      },
    });
    let timings: readonly Timing[] = [];
    const answer = await first.getProfile(outgoing({ budgetMs: 900, passport: guest(), onTiming: (entries) => (timings = entries) }), {});
    expect(isProblem(answer)).toBe(false);
    expect(left[0]).toBeLessThanOrEqual(900);
    expect(left[1]).toBeLessThanOrEqual(left[0]! - 29);
    expect(left[1]).toBeGreaterThan(0);
    expect(timings.map(({ name }) => name)).toEqual(['profile', 'catalog']);
    expect(timings[0]!.durationMs).toBeGreaterThanOrEqual(29);
    expect(timings[0]!.description).toMatch(/^\d+ of [1-9]\d\d ms left$/);
  });

  it('is never longer than the method allows', async () => {
    let left = 0;
    const client = await profile({ getProfile: (ctx) => ((left = ctx.deadline.remainingMs()), Promise.resolve({})) });
    await client.getProfile(outgoing({ budgetMs: 60_000, passport: guest() }), {});
    expect(left).toBeGreaterThan(1_000);
    expect(left).toBeLessThanOrEqual(1_500);
  });

  it('ends a call whose handler never answers, and the calls it makes', async () => {
    const reasons: unknown[] = [];
    const second = await catalog({
      listProducts: (ctx) => never(ctx).catch((error: unknown) => (reasons.push(error), Promise.reject(error))),
    });
    const first = await profile({ getProfile: async (ctx) => (await second.listProducts(forward(ctx), {})) as never });
    const [crowd, startedMs] = [watchCrowd(), performance.now()];
    expect(await first.getProfile(outgoing({ budgetMs: 1_000, passport: guest() }), {})).toEqual(problem('deadline_exceeded'));
    expect(performance.now() - startedMs).toBeLessThan(1_000 + crowd.roomMs(850));
    await vi.waitFor(() => expect(reasons).toHaveLength(1));
    // The second hop hears of its own deadline or, where that is late, that the first hop has ended the call.
    expect(isDeadlineReason(reasons[0]) || (reasons[0] as Error).name === 'AbortError').toBe(true);
  });

  it('that has passed already sends nothing', async () => {
    const handler = vi.fn<() => Promise<object>>(() => Promise.resolve({}));
    const client = await profile({ getProfile: handler });
    expect(await client.getProfile(outgoing({ budgetMs: 0, passport: guest() }), {})).toEqual(problem('deadline_exceeded'));
    expect(handler).not.toHaveBeenCalled();
  });

  it('is kept against a peer that accepts and says nothing', async () => {
    const mute: TcpServer = createServer(() => undefined);
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    open.push({ stop: () => mute.close() });
    const { port } = mute.address() as { port: number };
    const connection = connectMesh(ProfileService, { address: `localhost:${port}`, tls: await tlsOf('gateway'), log: silent });
    open.push(connection);
    const [crowd, startedMs] = [watchCrowd(), performance.now()];
    expect(await connection.client.getProfile(outgoing({ budgetMs: 300, passport: guest() }), {})).toEqual(problem('deadline_exceeded'));
    expect(performance.now() - startedMs).toBeLessThan(300 + crowd.roomMs(700));
  });
});

describe('a cancellation', () => {
  it.each([
    ['by signal and parent', (ctx: RequestContext) => forward(ctx)],
    ['by the parent call alone', (ctx: RequestContext) => ({ ...forward(ctx), signal: undefined })],
    ['by the signal alone', (ctx: RequestContext) => ({ ...forward(ctx), parent: undefined })],
  ])('goes through two hops %s', async (_how, on) => {
    const aborted: string[] = [];
    let reached!: () => void;
    const atTheEnd = new Promise<void>((resolve) => (reached = resolve));
    const note = (where: string, ctx: RequestContext) => ctx.signal.addEventListener('abort', () => aborted.push(where));
    const second = await catalog({ listProducts: (ctx) => (note('catalog', ctx), reached(), never(ctx)) });
    const first = await profile({ getProfile: async (ctx) => (note('profile', ctx), (await second.listProducts(on(ctx), {})) as never) });
    const abort = new AbortController();
    const answer = first.getProfile(outgoing({ passport: guest(), signal: abort.signal }), {});
    await atTheEnd;
    abort.abort();
    expect(await answer).toEqual(problem('cancelled'));
    await vi.waitFor(() => expect([...aborted].sort()).toEqual(['catalog', 'profile']));
    expect(await first.getProfile(outgoing({ passport: guest(), signal: abort.signal }), {})).toEqual(problem('cancelled'));
  });

  it('is not told to a handler whose call ended well, not even when its time is up', async () => {
    let ended: RequestContext | undefined;
    const client = await profile({ getProfile: (ctx) => ((ended = ctx), Promise.resolve({})) });
    expect(isProblem(await client.getProfile(outgoing({ budgetMs: 1_000, passport: guest() }), {}))).toBe(false);
    await vi.waitFor(() => expect(ended?.deadline.remainingMs()).toBe(0));
    await new Promise((resolve) => setImmediate(resolve));
    expect(ended?.signal.aborted).toBe(false);
  });
});

describe('a context', () => {
  it('belongs to one call, however many interleave', async () => {
    const client = await profile({
      getProfile: async (ctx, _request) => {
        const before = { ...ctx, subject: person(ctx).identity.subject };
        await new Promise((resolve) => setTimeout(resolve, randomBytes(1)[0]! % 20));
        ctx.timing({ name: person(ctx).identity.handle, durationMs: 1 });
        expect(person(ctx).identity.subject).toBe(before.subject);
        expect(Object.isFrozen(ctx)).toBe(true);
        return { name: [person(ctx).identity.subject, ctx.trace.traceId, ctx.experiment, ctx.consistency, ctx.caller].join(' ') };
      },
    });
    const isLate = ({ problem: code }: Problem) => code === 'deadline_exceeded' || code === 'unavailable';
    let answered = 0;
    const ask = async (n: number) => {
      let timings: readonly Timing[] = [];
      const call = outgoing({
        passport: guest({ sub: `g_${n % 50}`, sid: `h_${n}` }),
        experiment: `lab-${n}`,
        consistency: `local:${n % 24}:${n}`,
        onTiming: (entries) => (timings = entries),
      });
      let answer = await client.getProfile(call, {});
      // A machine with other work may need longer than a call may take. Whose answer it is does not depend on that.
      while (isProblem(answer) && isLate(answer)) answer = await client.getProfile(call, {});
      expect(answer).toMatchObject({ name: `g_${n % 50} ${call.trace.traceId} lab-${n} local:${n % 24}:${n} gateway` });
      expect(timings.map(({ name }) => name)).toEqual(['profile', `h_${n}`]);
      answered += 1;
    };
    // Fifty at once, because two hundred do not end within one call's budget on a busy machine.
    for (let first = 0; first < 200; first += 50) await Promise.all(Array.from({ length: 50 }, (_, index) => ask(first + index)));
    expect(answered).toBe(200);
  });

  it('continues the trace with a span of its own', async () => {
    let trace = startTrace(randomBytes);
    const client = await profile({ getProfile: (ctx) => ((trace = ctx.trace), Promise.resolve({})) });
    const call = outgoing({ passport: guest() });
    await client.getProfile(call, {});
    expect(trace.traceId).toBe(call.trace.traceId);
    expect(trace.spanId).not.toBe(call.trace.spanId);
  });
});

describe('an outcome', () => {
  it('carries code, detail in any language and the time to wait', async () => {
    const refused = problem('too_many_requests', 'zu viele – “nur” 3, bitte; 再试', 7);
    const client = await profile({ getProfile: () => Promise.resolve(refused) });
    expect(await client.getProfile(outgoing({ passport: guest() }), {})).toEqual(refused);
  });

  it.each([
    ['thrown', () => Promise.reject(new Error('secret: hunter2'))],
    [
      'thrown before any promise',
      () => {
        throw new Error('secret: hunter2');
      },
    ],
    ['a message that does not fit', () => Promise.resolve({ addresses: [null] } as never)],
  ])('that is a surprise (%s) is logged and never shown', async (_what, handler) => {
    const lines: string[] = [];
    const log = createLogger('profile', 'info', { write: (line) => void lines.push(line) });
    const client = await profile({ getProfile: handler }, { log });
    const call = outgoing({ passport: guest() });
    expect(await client.getProfile(call, {})).toEqual(problem('internal'));
    const logged = lines.filter((line) => line.includes('handler failed'));
    expect(logged).toHaveLength(1);
    expect(logged[0]).toContain(call.trace.traceId);
    expect(lines.join('')).not.toContain(call.passport);
  });

  it('of a request that is too large is ours to see, not a hang', async () => {
    const client = await profile({});
    expect(await client.updateProfile(outgoing({ passport: guest() }), { name: 'x'.repeat(2_000_000) })).toEqual(problem('internal'));
  });
});

describe('a connection', () => {
  it('to nobody is lost at once', async () => {
    const connection = connectMesh(ProfileService, { address: 'localhost:21999', tls: await tlsOf('gateway'), log: silent });
    open.push(connection);
    const [crowd, startedMs] = [watchCrowd(), performance.now()];
    expect(await connection.client.getProfile(outgoing({ passport: guest() }), {})).toEqual(problem('connection_lost'));
    expect(performance.now() - startedMs).toBeLessThan(crowd.roomMs(1_000));
  });

  it('finds a restarted service within its back-off of a second', async () => {
    const client = await profile({ getProfile: () => Promise.resolve({}) });
    const [server] = open as [MeshServer];
    const get = () => client.getProfile(outgoing({ passport: guest() }), {});
    expect(isProblem(await get())).toBe(false);
    await server.stop();
    // Three calls meet the broken connection, then the breaker refuses.
    for (let n = 0; n < 3; n += 1) expect(await get()).toEqual(problem('connection_lost'));
    for (let n = 0; n < 2; n += 1) expect(await get()).toMatchObject(problem('unavailable'));
    await serve('profile', [profileWith({ getProfile: () => Promise.resolve({}) })], { port: server.port });
    const crowd = watchCrowd();
    const beganMs = performance.now();
    await vi.waitFor(async () => expect(isProblem(await get())).toBe(false), { timeout: 30_000, interval: 50 });
    expect(performance.now() - beganMs).toBeLessThan(crowd.roomMs(2_000));
  });

  it('to another service that took the port is refused', async () => {
    const server = await serve('profile', [profileWith({ getProfile: () => Promise.resolve({}) })]);
    const connection = connectMesh(AuthService, { address: `localhost:${server.port}`, tls: await tlsOf('gateway'), log: silent });
    open.push(connection);
    expect(await connection.client.getKeys(outgoing(), {})).toEqual(problem('connection_lost'));
  });

  it('that was closed answers instead of throwing', async () => {
    const connection = connectMesh(ProfileService, { address: 'localhost:21999', tls: undefined, log: silent });
    connection.close();
    expect(await connection.client.getProfile(outgoing({ passport: guest() }), {})).toEqual(problem('unavailable'));
  });

  it('in plaintext checks no caller, says so once, and still wants the passport', async () => {
    const lines: string[] = [];
    const log = createLogger('profile', 'info', { write: (line) => void lines.push(line) });
    const client = await profile({ getProfile: (ctx) => Promise.resolve({ name: `caller ${ctx.caller}` }) }, { tls: undefined, log });
    expect(await client.getProfile(outgoing({ passport: guest() }), {})).toMatchObject({ name: 'caller undefined' });
    expect(await client.getProfile(outgoing(), {})).toEqual(problem('session_required'));
    expect(await client.getProfile(outgoing({ passport: guest({ aud: 'cart' }) }), {})).toEqual(problem('invalid_passport'));
    expect(lines.filter((line) => line.includes('without TLS'))).toHaveLength(1);
  });
});

it('does not start without a handler for every method', async () => {
  const incomplete = implement(ProfileService, { getProfile: unused } as unknown as Rpcs<typeof ProfileService>);
  await expect(serve('profile', [incomplete])).rejects.toThrow('UpdateProfile has no handler');
});
