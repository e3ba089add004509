/**
 * Faults of a cluster, under load, with a database that knows the dead sessions: `docs/sessions-cluster.md` has the lines that this prints.
 * It counts these cases: lost (never ended, yet gone), resurrected (ended and acknowledged, yet answered), and wrong (another person's, or an
 * error that is not StoreUnavailable). It measures the longest time without an answer for the persons of the shard that was hit, and the
 * slowest call.
 */
import { randomBytes } from 'node:crypto';
import { setInterval as every } from 'node:timers/promises';
import { openTestCluster, type TestCluster, untilStopped, watchCrowd } from '@cloakroom/testing';
import { t0 as sampleTimeMs, tombstoneOf, userSession } from './session-store.samples.ts';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { tombstoneKey } from './keys.ts';
import { RedisSessionStore } from './session.store.redis.ts';
import type { NewSession } from './session.store.ts';
import { StoreUnavailable } from './session.store.ts';

const personCount = 240;
const readerCount = 8;
/** A failover takes 2-4 s on an idle machine; only a hang is a defect. */
const outageMaxMs = 20_000;
const settleMaxMs = 10_000;

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await openTestCluster(process.env['TEST_REDIS_CLUSTER_URL']);
});
beforeEach(async () => {
  await cluster.whole();
  await cluster.wipe();
});
afterAll(() => cluster.close());

interface Person {
  readonly session: NewSession;
  /** A row in the database: the session must die from here on. */
  ended: boolean;
  /** The caller was told. */
  acknowledged: boolean;
}

async function openWorld() {
  const store = new RedisSessionStore(await cluster.connect());
  const persons: Person[] = Array.from({ length: personCount }, (_, i) => ({
    session: userSession(`${i}`, { tag: randomBytes(2).toString('hex'), subject: `u_${i}` }),
    ended: false,
    acknowledged: false,
  }));
  store.onIncarnationChange(async () => {
    await Promise.all(persons.filter(({ ended }) => ended).map(({ session }) => store.revoke(tombstoneOf(session), sampleTimeMs)));
  });
  await Promise.all(persons.map(({ session }) => store.create(session, 10, sampleTimeMs)));
  for (const { redis } of await cluster.primaries()) {
    // WAIT would ask for the writes of this connection, and it has none.
    await vi.waitFor(async () => {
      const told = await redis.info('replication');
      const written = /^master_repl_offset:(\d+)/m.exec(told)?.[1];
      expect(written).toBeDefined();
      expect(/^slave0:.*,offset=(\d+)/m.exec(told)?.[1], 'the copy has all of it').toBe(written);
    }, 10_000);
  }
  return { store, persons };
}
type World = Awaited<ReturnType<typeof openWorld>>;

/** Works as auth does: the row, then the store, and the relay until the store has it. */
async function end({ store }: World, person: Person): Promise<void> {
  person.ended = true;
  for await (const _ of every(50)) {
    try {
      await store.revoke(tombstoneOf(person.session), sampleTimeMs);
      person.acknowledged = true;
      return;
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
    }
  }
}

/** Reads at random and ends one person after another until told to stop. */
function load(world: World, hit: readonly Person[]) {
  const seen = { lost: 0, resurrected: 0, wrong: 0, outageMs: 0, slowestMs: 0, answered: 0, refused: 0, defect: '' };
  const crowd = watchCrowd();
  let stopped = false;
  let lastAnswerMs = performance.now();
  const defect = (text: string): void => {
    seen.wrong += 1;
    seen.defect = text;
  };
  const look = async (person: Person): Promise<void> => {
    const before = { ...person };
    const began = performance.now();
    try {
      const found = await world.store.resolve(person.session, sampleTimeMs, { idleTimeoutMs: 1_000_000 });
      seen.answered += 1;
      if (hit.includes(person)) {
        seen.outageMs = Math.max(seen.outageMs, performance.now() - lastAnswerMs);
        lastAnswerMs = performance.now();
      }
      if (found !== undefined && before.acknowledged) seen.resurrected += 1;
      if (found === undefined && !person.ended) seen.lost += 1;
      if (found !== undefined && found.subject !== person.session.subject) defect(`${found.subject} for ${person.session.subject}`);
    } catch (error) {
      if (error instanceof StoreUnavailable) seen.refused += 1;
      else defect(String(error));
    }
    seen.slowestMs = Math.max(seen.slowestMs, performance.now() - began);
  };
  const reader = async (): Promise<void> => {
    for await (const _ of every(4)) {
      if (stopped) return;
      await look(world.persons[Math.floor(Math.random() * personCount)]!);
    }
  };
  const ender = async (): Promise<void> => {
    const left = world.persons.slice(0, personCount / 2).values();
    for await (const _ of every(25)) {
      const { value, done } = left.next();
      if (stopped || done) return;
      await end(world, value);
    }
  };
  const running = Promise.all([...Array.from({ length: readerCount }, reader), ender()]);
  return {
    seen,
    /** Waits until this many more sessions were asked about. */
    goesOn: async (count: number) => {
      const asked = (): number => seen.answered + seen.refused;
      const until = asked() + count;
      await vi.waitFor(() => expect(asked()).toBeGreaterThan(until), { timeout: outageMaxMs, interval: 5 });
    },
    stop: async () => {
      stopped = true;
      await running;
      return { ...seen, roomMs: crowd.roomMs };
    },
  };
}

const personsOf = async (world: World, port: number): Promise<Person[]> => {
  const owners = await Promise.all(world.persons.map(({ session }) => cluster.ownerOf(session.tag)));
  return world.persons.filter((_, index) => owners[index]!.port === port);
};

const answersFor = (world: World, { session }: Person) =>
  vi.waitFor(() => world.store.resolve(session, sampleTimeMs, undefined), { timeout: outageMaxMs, interval: 50 });

function report(what: string, seen: Awaited<ReturnType<ReturnType<typeof load>['stop']>>): void {
  const row = [what, seen.answered, seen.refused, seen.lost, seen.resurrected, seen.wrong, seen.outageMs, seen.slowestMs];
  process.stdout.write(`| ${row.map((cell) => (typeof cell === 'number' ? Math.round(cell) : cell)).join(' | ')} |\n`);
  expect(seen).toMatchObject({ defect: '', wrong: 0, resurrected: 0 });
  expect(seen.outageMs).toBeLessThan(seen.roomMs(outageMaxMs));
  expect(seen.slowestMs).toBeLessThan(seen.roomMs(settleMaxMs));
}

it('loses and revives nobody when a primary is killed', { timeout: 240_000 }, async () => {
  const world = await openWorld();
  const victim = await cluster.ownerOf(world.persons.at(-1)!.session.tag);
  const running = load(world, await personsOf(world, victim.port));
  await running.goesOn(200);
  process.kill(await cluster.pidOf(victim), 'SIGKILL');
  await vi.waitFor(async () => expect((await cluster.ownerOf(world.persons.at(-1)!.session.tag)).port).not.toBe(victim.port), {
    timeout: outageMaxMs,
    interval: 100,
  });
  await answersFor(world, world.persons.at(-1)!);
  await running.goesOn(400);
  const seen = await running.stop();
  report('a primary killed (kill -9)', seen);
  expect(seen.lost).toBe(0);
});

it('keeps no caller waiting, and revives nobody, while a primary is paused and when it wakes up', { timeout: 240_000 }, async () => {
  const world = await openWorld();
  const victim = await cluster.ownerOf(world.persons.at(-1)!.session.tag);
  const [pid, replica] = [await cluster.pidOf(victim), await cluster.replicaOf(victim)];
  const running = load(world, await personsOf(world, victim.port));
  await running.goesOn(200);
  process.kill(pid, 'SIGSTOP');
  await untilStopped(pid);
  try {
    await vi.waitFor(async () => expect(await replica.redis.info('replication')).toContain('role:master'), {
      timeout: outageMaxMs,
      interval: 100,
    });
    await answersFor(world, world.persons.at(-1)!);
    await running.goesOn(400);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await running.goesOn(1_000);
  const seen = await running.stop();
  report('a primary paused (SIGSTOP), woken after the failover', seen);
  expect(seen.lost).toBe(0);
});

it('keeps the dead dead when a primary falls that had acknowledged what its replica never got', { timeout: 240_000 }, async () => {
  const world = await openWorld();
  const victim = await cluster.ownerOf(world.persons.at(-1)!.session.tag);
  const [pid, replica] = [await cluster.pidOf(victim), await cluster.replicaOf(victim)];
  const replicaPid = await cluster.pidOf(replica);
  const hit = await personsOf(world, victim.port);
  // The cut: a replica that cannot come back to a primary that threw it out.
  process.kill(replicaPid, 'SIGSTOP');
  await untilStopped(replicaPid);
  try {
    await victim.redis.call('CLIENT', 'KILL', 'TYPE', 'replica');
    await Promise.all(hit.slice(0, -1).map((person) => end(world, person)));
    expect(hit.slice(0, -1).every(({ acknowledged }) => acknowledged)).toBe(true);
    process.kill(pid, 'SIGKILL');
  } finally {
    process.kill(replicaPid, 'SIGCONT');
  }
  await vi.waitFor(async () => expect(await replica.redis.info('replication')).toContain('role:master'), {
    timeout: outageMaxMs,
    interval: 50,
  });
  // Without the replay they would live again: the test can fail.
  const forgotten = hit.slice(0, -1).map(({ session }) => replica.redis.exists(tombstoneKey(session.tag, session.handle)).catch(() => 1));
  expect(await Promise.all(forgotten)).toContain(0);
  const running = load(world, hit);
  await answersFor(world, hit.at(-1)!);
  await running.goesOn(400);
  const seen = await running.stop();
  for (const { session } of hit.slice(0, -1)) expect(await world.store.resolve(session, sampleTimeMs, undefined)).toBeUndefined();
  report(`a cut replica took over (${hit.length - 1} acknowledged revocations lost)`, seen);
  expect(seen.lost).toBe(0);
});

it('answers rightly while slots move from one primary to another', { timeout: 240_000 }, async () => {
  const world = await openWorld();
  const from = await cluster.ownerOf(world.persons.at(-1)!.session.tag);
  const to = (await cluster.primaries()).find(({ port }) => port !== from.port)!;
  const hit = (await personsOf(world, from.port)).slice(-30);
  const slots = [...new Set(await Promise.all(hit.map(({ session }) => cluster.slotOf(session.tag))))];
  const running = load(world, hit);
  for (const slot of slots) {
    await cluster.moveSlot(slot, from, to, async () => {
      // Both halves of a slot: ask for those in it, until the load has met the open slot too.
      const inside = await Promise.all(hit.map(async (person) => ((await cluster.slotOf(person.session.tag)) === slot ? [person] : [])));
      await Promise.all(inside.flat().map((person) => world.store.resolve(person.session, sampleTimeMs, undefined).catch(() => undefined)));
      await running.goesOn(20);
    });
  }
  await running.goesOn(200);
  const seen = await running.stop();
  for (const slot of slots) await cluster.moveSlot(slot, to, from, () => Promise.resolve());
  for (const { session, ended } of hit) {
    const found = await vi.waitFor(() => world.store.resolve(session, sampleTimeMs, undefined), { timeout: outageMaxMs });
    expect(found === undefined).toBe(ended);
  }
  report(`${slots.length} slots moved under load, each held open`, seen);
  expect(seen.lost).toBe(0);
});
