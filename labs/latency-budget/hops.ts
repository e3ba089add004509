/**
 * A request over two hops of the real mesh: a person asks the first service, which does a step of its own and then asks the slow one. The arms differ
 * in what the first service hands on. The shop hands on what is left of the person's time; the others are THE ANTI-PATTERN, and the shop has none.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { CatalogService, isProblem } from '@cloakroom/contracts';
import { connectMesh, forward, type OutgoingCall, type RequestContext } from '@cloakroom/mesh';
import { startTrace } from '@cloakroom/platform';
import { openLoop } from '../bench/measuring/load.loops.ts';
import { randomOf } from '../chaos/random.ts';
import { log, openWarehouse, serveCatalog, type Warehouse, type WarehouseOptions } from './warehouse.ts';

export const armNames = ['carried', 'a second each', 'fitted'] as const;
export type ArmName = (typeof armNames)[number];

/** A person waits so long for an answer. Some close the page earlier. */
export const patienceMs = 1_000;
const earlyMs = 400;
const earlyPart = 1 / 3;
/** The first service's own step: sometimes fast and sometimes not, 200 ms on average. */
const stepsMs = [100, 300] as const;
const stepMeanMs = 200;
/** A person's leaving comes before the end of the time that was granted: the browser closes the connection. */
const graceMs = 50;

/** The call to the slow service. */
const handedOn: Readonly<Record<ArmName, (ctx: RequestContext) => OutgoingCall>> = {
  carried: (ctx) => forward(ctx),
  'a second each': (ctx) => fixed(ctx, 1_000),
  fitted: (ctx) => fixed(ctx, patienceMs - stepMeanMs),
};

/** A client with a time-out of its own, as most HTTP clients are set up. It hears nothing of those for whom it asks. */
const fixed = (ctx: RequestContext, timeoutMs: number): OutgoingCall => ({ budgetMs: timeoutMs, trace: ctx.trace });

export interface Outcome {
  readonly goodPerSecond: number;
  readonly vainPerSecond: number;
  /** The part of all work that was done, 0 to 100. */
  readonly vainPercent: number;
}

export interface Hops {
  /** @param rate people a second, whether they are answered or not. @param seed decides who is impatient, and whose first step is slow */
  play(arm: ArmName, load: { readonly rate: number; readonly seconds: number; readonly seed: number }): Promise<Outcome>;
  stop(): Promise<void>;
}

export async function openHops(options: WarehouseOptions): Promise<Hops> {
  const warehouse = await openWarehouse(options);
  const slow = connectMesh(CatalogService, { address: `127.0.0.1:${warehouse.port}`, tls: undefined, log });
  let arm: ArmName = 'carried';
  const server = await serveCatalog({
    async listProducts(ctx, { query }) {
      const [person = '', stepMs] = query.split(' ');
      await delay(Number(stepMs));
      const answer = await slow.client.getProducts(handedOn[arm](ctx), { productIds: [person] });
      return isProblem(answer) ? answer : {};
    },
  });
  const first = connectMesh(CatalogService, { address: `127.0.0.1:${server.port}`, tls: undefined, log });
  return {
    async play(wanted, load) {
      await warehouse.idle();
      arm = wanted;
      return playOnce(first.client, warehouse, load);
    },
    async stop() {
      first.close();
      slow.close();
      await server.stop();
      await warehouse.stop();
    },
  };
}

interface Person {
  readonly leavesMs: number;
  /** Undefined: no answer, or a refusal. */
  answeredMs: number | undefined;
}

type Client = ReturnType<typeof connectMesh<typeof CatalogService>>['client'];

/** Long enough for a queue to become as long as it gets. */
const warmUpMs = 1_500;

async function playOnce(client: Client, warehouse: Warehouse, { rate, seconds, seed }: Parameters<Hops['play']>[1]): Promise<Outcome> {
  const people = new Map<string, Person>();
  const random = randomOf(seed);
  const flight = { waiting: 0, lost: () => undefined };
  const fromMs = performance.now() + warmUpMs;
  const untilMs = fromMs + seconds * 1_000;
  const come = async (dueMs: number): Promise<void> => {
    const name = String(people.size);
    const leavesMs = dueMs + (random.next() < earlyPart ? earlyMs : patienceMs);
    const person: Person = { leavesMs, answeredMs: undefined };
    people.set(name, person);
    flight.waiting += 1;
    const answered = await askOnce(client, `${name} ${stepsMs[random.next() < 0.5 ? 0 : 1]}`, leavesMs);
    if (answered) person.answeredMs = performance.now();
    flight.waiting -= 1;
  };
  await openLoop(rate, warmUpMs / 1_000 + seconds, come, flight);
  const good = [...people.values()].filter(({ leavesMs, answeredMs = Infinity }) => answeredMs <= leavesMs && isIn(answeredMs));
  const jobs = warehouse.jobs().filter(({ endedMs }) => isIn(endedMs));
  if (jobs.length === 0) throw new Error('the slow service did nothing');
  const vain = jobs.filter(({ person, endedMs }) => people.get(person)!.leavesMs < endedMs);
  return { goodPerSecond: good.length / seconds, vainPerSecond: vain.length / seconds, vainPercent: (100 * vain.length) / jobs.length };

  function isIn(ms: number): boolean {
    return ms >= fromMs && ms < untilMs;
  }
}

/** @returns whether it was answered; a refusal is no answer */
async function askOnce(client: Client, query: string, leavesMs: number): Promise<boolean> {
  const leaving = new AbortController();
  const leaves = setTimeout(() => leaving.abort(), Math.max(0, leavesMs - performance.now()));
  const call = { budgetMs: patienceMs + graceMs, signal: leaving.signal, trace: startTrace(randomBytes) };
  const answer = await client.listProducts(call, { query });
  clearTimeout(leaves);
  return !isProblem(answer);
}
