/**
 * `npm run load`: the life of a shop, for as long as somebody looks at it. The people are those that the chaos runs have (libs/testing
 * shop-workload.ts), at a pace. Benchmarks have generators of their own: nothing here is a measurement to compare.
 */
import { randomInt } from 'node:crypto';
import { runCommandLine, UsageError, wholeNumber, portBases } from '../../infra/cli/command-line.ts';
import { runningShop } from '../../infra/cli/running-shop.ts';
import { StackError } from '../../infra/stack/outcome.ts';
import { isLoopbackUrl, liveInShop } from './live-in-shop.ts';

/** 67 of 200 people get an account, which is more than a demo shop ever has. */
const peopleMax = 200;
/** A load to look at. Two cores serve some thousand requests a second, and a person sees nothing in those. */
const rateMax = 200;
/** Each order takes stock, so a load that somebody forgot must end. */
const durationMaxMs = 60 * 60_000;

const help = `npm run load -- [--people N] [--rate R] [--for TIME]

Fills the shop that runs here with people: guests browse and put things in their carts, sign up, sign in, order and sign out. Prints a line every 5 s:
requests a second, the time to an answer (p50, p99), and what was refused, by code. Ends by itself, or on Ctrl-C.

  --people N     browsers that act at once, 1 to ${peopleMax} (50). Three of them share an account, as a person has several devices
  --rate R       requests a second of all of them together, at most; 1 to ${rateMax} (20)
  --for TIME     10s to 60m (10m)
  --port-base P  which shop, where several run

The accounts and orders stay in the shop; npm start -- --fresh empties it. It only ever calls this machine.`;

const options = {
  people: { type: 'string' },
  rate: { type: 'string' },
  for: { type: 'string' },
  'port-base': { type: 'string' },
} as const;

function timeOf(text: string): number {
  const [, count, unit] = /^(\d+)(s|m)$/.exec(text) ?? [];
  const ms = Number(count) * (unit === 'm' ? 60_000 : 1_000);
  if (!(ms >= 10_000 && ms <= durationMaxMs)) throw new UsageError(`--for ${text}: a time from 10s to 60m`);
  return ms;
}

await runCommandLine({ help, options }, async (values) => {
  const people = wholeNumber('--people', values.people, { min: 1, max: peopleMax }) ?? 50;
  const rate = wholeNumber('--rate', values.rate, { min: 1, max: rateMax }) ?? 20;
  const durationMs = timeOf(values.for ?? '10m');
  const { gateways } = runningShop({ portBase: wholeNumber('--port-base', values['port-base'], portBases) }).state;
  const elsewhere = gateways.find((url) => !isLoopbackUrl(url));
  if (elsewhere !== undefined) throw new StackError(`${elsewhere} is not on this machine`, 'start a shop here');
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort()).once('SIGTERM', () => stop.abort());
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  print(`${people} people at ${gateways.join(' and ')}, at most ${rate} requests a second. Ctrl-C ends it.`);
  const { answered } = await liveInShop({ gateways, people, rate, durationMs, seed: randomInt(1, 1_000_000), signal: stop.signal, print });
  return answered > 0 ? 0 : 1;
});
