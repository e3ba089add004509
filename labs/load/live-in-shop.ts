/** People in a shop at a bounded pace, and a line about them every few seconds. */
import { setTimeout as delay } from 'node:timers/promises';
import type { ProductPage } from '@cloakroom/contracts/http';
import { type History, httpTransport, type Operation, type Recorder, realTime, runWorkload, type ShopTransport } from '@cloakroom/testing';
import { openTally, type Tally } from './tally.ts';

/** A line is read in a second or two. */
const lineIntervalMs = 5_000;

export interface LoadOptions {
  readonly gateways: readonly string[];
  readonly people: number;
  /** Requests a second. */
  readonly rate: number;
  readonly durationMs: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
  readonly transport?: ShopTransport;
}

/** Ends after `durationMs`, or soon after the signal. */
export async function liveInShop(options: LoadOptions): Promise<{ readonly answered: number }> {
  const { gateways, people, rate, durationMs, seed, print } = options;
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(durationMs)]);
  const inner = options.transport ?? httpTransport();
  const tally = openTally(() => performance.now());
  const lines = setInterval(() => print(tally.line()), lineIntervalMs);
  try {
    const transport = paced(inner, { rate, signal, tally });
    // Each person's own pace would make a little more than the rate; `paced` then holds all of them to it.
    const thinkMs = Math.round((1000 * people) / rate);
    const products = await productsFor(people, gateways[0]!, transport);
    const time = { ...realTime, sleep: (ms: number) => sleepUntil(signal, ms) };
    const shop = {
      gateways,
      seed,
      products,
      clients: people,
      thinkMs,
      browses: true,
      signal,
      settleMs: 0,
      transport,
      time,
      recorder: forgetful(),
    };
    if (!signal.aborted)
      await runWorkload(shop).catch((error: unknown) => {
        // Somebody who signs up while the load ends gets no answer.
        if (!signal.aborted) throw error;
      });
  } finally {
    clearInterval(lines);
    inner.close();
  }
  print(tally.total());
  return { answered: tally.answered };
}

/** A page of the catalog. A workload wants two products for each account, and here accounts may want the same. */
const productCountMax = 50;

async function productsFor(people: number, gateway: string, transport: ShopTransport): Promise<readonly string[]> {
  const path = `/api/products?pageSize=${productCountMax}`;
  const { status, body } = await transport.call({ gateway, method: 'GET', path, headers: {}, from: '127.0.0.1' });
  const ids = ((body as Partial<ProductPage> | undefined)?.items ?? []).map(({ productId }) => productId);
  if (ids.length === 0 && status !== 0) throw new Error(`the shop shows no products: status ${status}`);
  const wanted = 2 * Math.max(2, Math.ceil(people / 3)) + 1;
  return ids.length === 0 ? [] : Array.from({ length: wanted }, (_, index) => ids[index % ids.length]!);
}

/** Nobody waits for a person who thinks while the load ends. */
const sleepUntil = (signal: AbortSignal, ms: number): Promise<void> => delay(ms, undefined, { signal }).catch(() => undefined);

const stopped = { status: 0, headers: {}, body: undefined, error: 'the load has ended' };

/** Linux answers on all of 127.0.0.0/8, so people have addresses of their own. Elsewhere they share one, and the limits of an address with it. */
const ownAddresses = process.platform === 'linux';

/** Lets `rate` calls a second begin, evenly, and loses no answer on purpose, as a chaos run does. After the signal nothing is sent. */
export function paced(inner: ShopTransport, { rate, signal, tally }: { rate: number; signal: AbortSignal; tally: Tally }): ShopTransport {
  let nextMs = performance.now();
  return {
    async call(call) {
      const now = performance.now();
      const startMs = Math.max(now, nextMs);
      nextMs = startMs + 1000 / rate;
      if (startMs > now) await sleepUntil(signal, startMs - now);
      if (signal.aborted) return stopped;
      const sentMs = performance.now();
      const answer = await inner.call({ ...call, loses: undefined, from: ownAddresses ? call.from : '127.0.0.1' });
      tally.note(answer, performance.now() - sentMs);
      return answer;
    },
    close: () => inner.close(),
  };
}

/** The judge of chaos runs needs every operation. Nobody judges here, and an hour of operations would fill the memory. */
function forgetful(): Recorder {
  let id = 0;
  const empty: Pick<History, 'operations' | 'faults'> = { operations: [], faults: [] };
  return {
    invoke(what) {
      const begun = { id: id++, ...what, invokedAtMs: realTime.nowMs() };
      return (ended): Operation => ({ ...begun, ...ended, completedAtMs: realTime.nowMs() });
    },
    fault: () => () => undefined,
    operations: () => [],
    faults: () => [],
    history: (seed, healedAtMs) => ({ seed, ...empty, healedAtMs }),
  };
}

export function isLoopbackUrl(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}
