/** A stream of questions over real mutual TLS: certificates are renewed under it, run out, or are no longer trusted. */
import { setTimeout as delay } from 'node:timers/promises';
import { AuthService, isProblem } from '@cloakroom/contracts';
import { type Admission, connectMesh, implement, type MeshTls, newAuthority, type Rpcs, serveMesh } from '@cloakroom/mesh';
import { metrics } from '@cloakroom/platform';
import { afterEach, expect, it, vi } from 'vitest';
import { movableClock, newSigner, outgoing, silent } from './mesh.fixture.ts';
import { openAdmission } from '../admission.ts';
import { createPassportVerifier } from '../passport.ts';

const dayMs = 24 * 60 * 60 * 1000;
/** Both are good now. Certificates of the old one run out in 10 days, those of the new one in 30. */
const [older, newer] = [await newAuthority(Date.now() - 20 * dayMs), await newAuthority(Date.now())];
const bundle = `${older.pem}\n${newer.pem}\n`;

const clock = movableClock();
const stops: (() => unknown)[] = [];
afterEach(async () => {
  clock.aheadMs = 0;
  for (const stop of stops.splice(0).toReversed()) await stop();
});

async function setOf(authority: typeof newer, name: string, trusted = bundle): Promise<MeshTls> {
  const { cert, key } = await authority.issue(name);
  return { ca: Buffer.from(trusted), cert: Buffer.from(cert), key: Buffer.from(key) };
}

/** Certificates that the test changes, as `openTls` does when files change. */
function changing(first: MeshTls) {
  let current = first;
  const listeners = new Set<() => void | Promise<void>>();
  const tls: MeshTls = {
    get ca() {
      return current.ca;
    },
    get cert() {
      return current.cert;
    },
    get key() {
      return current.key;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const change = async (next: MeshTls): Promise<void> => {
    current = next;
    await Promise.all([...listeners].map(async (listener) => listener()));
  };
  return { tls, change };
}

/** auth names the token's own person, at once or when the test releases it. `opened` counts admitted streams. */
async function auth() {
  const certificates = changing(await setOf(newer, 'auth'));
  const seen = { opened: 0, reached: [] as string[] };
  const gates: PromiseWithResolvers<void>[] = [];
  let held = false;
  const resolve = async (_ctx: object, { token, audience }: { token: string; audience: string }) => {
    seen.reached.push(token);
    // Some are answered after those that came later.
    await (held ? gates[gates.push(Promise.withResolvers()) - 1]!.promise : delay((seen.reached.length % 3) * 5));
    return { audience, session: { handle: token } };
  };
  const judge = openAdmission(createPassportVerifier({ audience: 'auth', keys: newSigner().ring, clock }), clock);
  const admission: Admission = {
    ...judge,
    async admit(method, ...rest) {
      const admitted = await judge.admit(method, ...rest);
      if (method.name.endsWith('/ResolveStream') && !isProblem(admitted)) seen.opened += 1;
      return admitted;
    },
  };
  const others = Object.fromEntries(AuthService.methods.map(({ localName }) => [localName, () => Promise.resolve({})]));
  const server = await serveMesh({
    name: 'auth',
    port: 0,
    tls: certificates.tls,
    services: [implement(AuthService, { ...others, resolve } as unknown as Rpcs<typeof AuthService>)],
    admission,
    clock,
    log: silent,
  });
  stops.push(() => server.stop());
  return {
    address: `localhost:${server.port}`,
    seen,
    change: certificates.change,
    hold: () => void (held = true),
    release() {
      held = false;
      // The last one first, so that answers come in another order than questions.
      for (const gate of gates.splice(0).toReversed()) gate.resolve();
    },
  };
}

/** Asks for the person of a token. Nothing but the ids of a stream decides which answer a question gets. */
async function gateway(address: string) {
  const { tls, change } = changing(await setOf(older, 'gateway'));
  const { client, close } = connectMesh(AuthService, { address, tls, log: silent, onStream: { resolve: () => true } });
  stops.push(close);
  const ask = async (token: string): Promise<string> => {
    const answer = await client.resolve(outgoing(), { token, audience: 'cart', touch: false });
    return isProblem(answer) ? answer.problem : answer.session!.handle;
  };
  return { ask, renew: async () => change(await setOf(newer, 'gateway')) };
}

/** Streams that have ended at a server of this process. */
async function endedStreams(): Promise<number> {
  const { values } = await metrics.getSingleMetric('mesh_calls_total')!.get();
  const ofStreams = values.filter(({ labels }) => labels.side === 'server' && String(labels.method).endsWith('/ResolveStream'));
  return ofStreams.reduce((sum, { value }) => sum + value, 0);
}

/** Streams that did not end by themselves: their connection broke, or they were dropped. */
async function brokenStreams(): Promise<number> {
  const { values } = await metrics.getSingleMetric('mesh_question_streams_total')!.get();
  return values.filter(({ labels }) => labels.end !== 'retired').reduce((sum, { value }) => sum + value, 0);
}

/** A question has a second, which a crowded machine may use up. Three such questions in a row open the breaker, which sends nothing for a while. */
const outOfTime = ['deadline_exceeded', 'unavailable'];
const answered = (ask: (token: string) => Promise<string>, token: string): Promise<void> =>
  vi.waitFor(async () => expect(await ask(token)).toBe(token));

it('is admitted again at each renewal, under load: no question is lost, and nobody is taken for another', async () => {
  const { address, seen } = await auth();
  const { ask, renew } = await gateway(address);
  await answered(ask, 'first');
  const first = { opened: seen.opened, ended: await endedStreams(), broken: await brokenStreams() };
  const wrong: string[] = [];
  let asked = 0;
  let good = 0;
  let going = true;
  const worker = async (): Promise<void> => {
    while (going) {
      const token = `token-${(asked += 1)}`;
      const answer = await ask(token);
      if (answer === token) good += 1;
      else if (outOfTime.includes(answer))
        await delay(20); // not a wait: the pace of the load
      else wrong.push(`${token}: ${answer}`);
    }
  };
  const load = Promise.all(Array.from({ length: 5 }, worker));
  try {
    for (let round = 0; round < 3; round += 1) {
      await renew();
      const before = good;
      // More than are in flight at once, so some were asked after the renewal.
      await vi.waitFor(() => expect(good).toBeGreaterThan(before + 10));
    }
  } finally {
    going = false;
    await load;
  }
  expect(wrong).toEqual([]);
  expect(seen.opened - first.opened).toBeGreaterThanOrEqual(3);
  // Only the last one is still open.
  await vi.waitFor(async () => expect((await endedStreams()) - first.ended).toBe(seen.opened - first.opened));
  // None was left to end with its connection.
  expect(await brokenStreams()).toBe(first.broken);
});

it('answers on the old connection what was in flight there, beside questions on the new one', async () => {
  const { address, seen, hold, release } = await auth();
  const answers: (readonly [string, string])[] = [];
  // A try whose questions run out of time says nothing about the others, so another one is made.
  await vi.waitFor(
    async () => {
      const { ask, renew } = await gateway(address);
      await answered(ask, 'first');
      const { opened, reached } = { opened: seen.opened, reached: seen.reached.length };
      const askAll = (tokens: string[]) => tokens.map(async (token) => void answers.push([token, await ask(token)]));
      hold();
      const old = askAll(['a', 'b', 'c']);
      await vi.waitFor(() => expect(seen.reached).toHaveLength(reached + 3));
      await renew();
      const young = askAll(['x', 'y', 'z']);
      await vi.waitFor(() => expect(seen.reached).toHaveLength(reached + 6)).finally(release);
      await Promise.all([...old, ...young]);
      expect(seen.opened).toBe(opened + 1);
      expect(answers.slice(-6).filter(([, answer]) => outOfTime.includes(answer))).toEqual([]);
    },
    { timeout: 50_000 },
  );
  for (const [token, answer] of answers) expect([token, ...outOfTime]).toContain(answer);
});

const ends: readonly [string, (replica: Awaited<ReturnType<typeof auth>>) => unknown][] = [
  ['has run out', () => (clock.aheadMs = 15 * dayMs)],
  ['is no longer trusted', async ({ change }) => change(await setOf(newer, 'auth', newer.pem))],
];
it.each(ends)(
  'gets no answer on an open stream once the certificate %s, and gets one again under a new certificate',
  async (_what, end) => {
    const replica = await auth();
    const { ask, renew } = await gateway(replica.address);
    await answered(ask, 'first');
    const ended = await endedStreams();
    const reached = replica.seen.reached.length;
    await end(replica);
    await vi.waitFor(async () => expect(await ask('after the end')).toBe('forbidden'));
    expect(replica.seen.reached).toHaveLength(reached);
    await renew();
    await answered(ask, 'renewed');
    await vi.waitFor(async () => expect(await endedStreams()).toBe(ended + 1));
  },
);
