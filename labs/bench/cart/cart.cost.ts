/**
 * The cost of a command and a read, by the size of the cart and by the length of its history. Commands cannot make a cart of 1,000 lines,
 * because 100 are the limit. So the carts are written as events, and every measurement is of an event that is appended and seen.
 */
import { randomBytes } from 'node:crypto';
import { partitionOf, topics, uuidV7 } from '@cloakroom/contracts';
import type { CartRequest } from './cart.sizes.ts';
import { added, history, publish, publishAll, set, type Change } from './cart.log.ts';
import type { CartWorld } from './cart.world.ts';
import { cpuMs } from '../measuring/machine.ts';
import { quantile } from '../measuring/statistics.ts';

export interface Cost {
  readonly what: string;
  readonly count: number;
  /** True for a measurement that is done once more at the end (A/A). */
  readonly again?: true;
  /** The size of the cart as the view holds it. */
  readonly bytes: number;
  /** From the log's acknowledgement of an event to the view's notice. */
  readonly visibleMs: Times;
  /** Processor time of the cart service for each event. */
  readonly eventCpuUs: number;
  readonly readMs: Times;
  /** Time from the command to its acknowledgement; undefined where commands are refused. */
  readonly commandMs: Times | undefined;
}

interface Times {
  readonly p50: number;
  readonly p99: number;
}

const dayMs = 24 * 60 * 60 * 1000;
/** The cart forgets commands that were killed before this (apps/cart/src/model/cart.ts keeps 45 days). */
const longAgoMs = 46 * dayMs;
/** The number of removals that commands may make in 45 days (apps/cart/src/model/limits.ts). */
const recentCountMax = 5_000;

interface Bench {
  readonly world: CartWorld;
  readonly productId: string;
  readonly repeats: number;
}

export async function benchCosts(world: CartWorld, request: CartRequest, productId: string): Promise<{ sizes: Cost[]; histories: Cost[] }> {
  const { repeats } = request;
  const bench = { world, productId, repeats };
  const linesOf = (count: number) => (cartId: string) => Array.from({ length: count }, (_, line) => added(cartId, productId, line));
  const historyOf = (count: number, atMs: number) => (cartId: string) => history(cartId, productId, count, atMs);
  const sizes: Cost[] = [];
  const histories: Cost[] = [];
  // After this the compilers have seen all the code.
  await costOf(bench, 'lines', 10, linesOf(10));
  for (const count of request.lineCounts) sizes.push(await costOf(bench, 'lines', count, linesOf(count)));
  const [fewest, shortest] = [request.lineCounts[0]!, request.historyLengths[0]!];
  sizes.push({ ...(await costOf(bench, 'lines', fewest, linesOf(fewest))), again: true });
  console.log('cost by size');
  const older = (count: number) => costOf(bench, 'events, older than 45 days', count, historyOf(count, Date.now() - longAgoMs));
  for (const count of request.historyLengths) histories.push(await older(count));
  histories.push({ ...(await older(shortest)), again: true });
  if (Math.max(...request.historyLengths) >= recentCountMax) {
    // Leaves room for the measured commands.
    const count = recentCountMax - repeats * 2 - 1;
    histories.push(await costOf(bench, 'events, all of today', count, historyOf(count, Date.now())));
  }
  console.log('cost by history');
  return { sizes, histories };
}

async function costOf(bench: Bench, what: string, count: number, make: (cartId: string) => Change[]): Promise<Cost> {
  const { eventLog, follower, ...world } = bench.world;
  const [guest] = await world.guests(1);
  const { subject: cartId, cookie } = guest!;
  const changes = make(cartId);
  await publishAll(eventLog, changes);
  await follower.untilAll(eventLog);
  const bytes = await follower.recordBytes(cartId);
  const { times, cpuUs } = await appendAndSee(bench, cartId, what === 'lines' ? count - 1 : 0, changes.at(-1)!);
  const readMs = timesOf(await readAgain(bench, cookie));
  return { what, count, bytes, visibleMs: timesOf(times), eventCpuUs: cpuUs, readMs, commandMs: await commandAgain(bench, cookie) };
}

/** Each event replaces the one before, so the cart keeps its size. */
async function appendAndSee({ world, productId, repeats }: Bench, cartId: string, line: number, last: Change) {
  const { eventLog, follower, pids } = world;
  const partition = partitionOf(cartId, topics.cartEvents);
  const times: number[] = [];
  let before = last;
  const cpuBefore = cpuMs(pids['cart']!);
  for (let i = 0; i < repeats; i++) {
    before = set(cartId, productId, line, before);
    const [position] = await publish(eventLog, [before.record]);
    const startedMs = performance.now();
    await follower.until(partition, position!.offset + 1n);
    times.push(Math.max(0, performance.now() - startedMs));
  }
  return { times, cpuUs: ((cpuMs(pids['cart']!) - cpuBefore) * 1000) / repeats };
}

async function readAgain({ world, repeats }: Bench, cookie: string): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < repeats; i++) {
    const startedMs = performance.now();
    const answer = await fetch(`${world.gateway}/api/cart`, { headers: { cookie } });
    await answer.arrayBuffer();
    if (answer.status !== 200) throw new Error(`GET /api/cart: ${answer.status}`);
    times.push(performance.now() - startedMs);
  }
  return times;
}

/**
 * Sets one line's quantity again and again, each time with the line's `seen` just read. The `seen` of an answer would grow,
 * because it holds all that was ever seen.
 * @returns undefined where the command is refused
 */
async function commandAgain({ world: { gateway }, repeats }: Bench, cookie: string): Promise<Times | undefined> {
  const times: number[] = [];
  let token = '';
  for (let i = 0; i < repeats; i++) {
    const { lineId, seen } = await firstLine(gateway, cookie, token);
    const body = JSON.stringify({ commandId: uuidV7(Date.now(), randomBytes(10)), quantity: 1 + (i % 9), seen });
    const startedMs = performance.now();
    const answer = await fetch(`${gateway}/api/cart/lines/${lineId}`, {
      method: 'PUT',
      headers: { origin: gateway, cookie, 'content-type': 'application/json' },
      body,
    });
    const told = (await answer.json()) as { code?: string };
    if (told.code === 'limit_exceeded') return undefined;
    if (answer.status !== 202) throw new Error(`PUT /api/cart/lines: ${answer.status} ${JSON.stringify(told)}`);
    times.push(performance.now() - startedMs);
    token = answer.headers.get('consistency-token') ?? '';
  }
  return timesOf(times);
}

async function firstLine(gateway: string, cookie: string, token: string): Promise<{ lineId: string; seen: string }> {
  const headers = { cookie, ...(token !== '' && { 'consistency-token': token }) };
  const { lines } = (await (await fetch(`${gateway}/api/cart`, { headers })).json()) as { lines: { lineId: string; seen: string }[] };
  return lines[0]!;
}

const timesOf = (times: readonly number[]): Times => ({ p50: quantile(times, 0.5), p99: quantile(times, 0.99) });
