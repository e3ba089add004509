/** `npm run ocean`: cuts, holds, lengthens and heals the network between the two regions that run here, and says how it is. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { portBases, runCommandLine, UsageError, wholeNumber } from './command-line.ts';
import { align } from './status.ts';
import { dataRoot } from '../stack/folders.ts';
import { describeFailure, StackError } from '../stack/outcome.ts';
import { oceanControlOf } from '../stack/stack.ports.ts';
import { oceanKeyFile } from '../launch/secrets.ts';
import { isAlive, readStates } from '../supervisor/state.ts';
import type { StackState } from '../supervisor/state.ts';
import { rttMaxMs, ways } from '../ocean/ocean.types.ts';
import type { MirrorLag, OceanCommand, OceanStatus, Way, WayStatus } from '../ocean/ocean.types.ts';

/** It answers at once. A paused one does not answer at all. */
const answerTimeoutMs = 5_000;

export const help = `npm run ocean -- <command> [options]   the network between the two regions that run here

  status            round trip, state, bytes and mirror lag, a line for each way
  cut               both ways: every connection ends, and each new one ends at once
  cut eu-us         no byte from eu to us on any connection: requests or answers die, and nobody is told (or us-eu)
  cut eu-us --dials no connection that eu dials: those end, and new ones are refused (or us-eu)
  hold [eu-us]      bytes wait, and arrive after heal (one way, or both)
  rtt 200           the round trip in milliseconds, 0 to ${rttMaxMs}
  heal              open both ways; a connection that lost bytes is reset; the round trip stays

  --dials            with cut: refuses connections instead of losing bytes
  --json             the status as JSON
  --port-base <port> which shop, where several run
  --help             this

npm start -- --profile regions starts two regions.`;

export interface OceanFlags {
  readonly dials?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly 'port-base'?: string | undefined;
}

/** @returns undefined for `status`. @throws UsageError */
export function readCommand([name, argument]: readonly string[], { dials = false }: Pick<OceanFlags, 'dials'>): OceanCommand | undefined {
  if (dials && name !== 'cut') throw new UsageError('--dials belongs to cut');
  if (name === 'cut') return { do: dials ? 'refuse-dials' : 'cut', ...wayOf(argument) };
  if (name === 'hold') return { do: 'hold', ...wayOf(argument) };
  if (name === 'rtt') {
    if (argument === undefined) throw new UsageError('rtt: how many milliseconds?');
    return { do: 'rtt', rttMs: wholeNumber('rtt', argument.replace(/ms$/, ''), { min: 0, max: rttMaxMs })! };
  }
  if (name !== 'status' && name !== 'heal')
    throw new UsageError(name === undefined ? 'which command?' : `${name} is no command of the ocean`);
  if (argument !== undefined) throw new UsageError(`unexpected argument '${argument}'`);
  return name === 'heal' ? { do: 'heal' } : undefined;
}

function wayOf(text: string | undefined): { way?: Way } {
  if (text === undefined) return {};
  const way = ways.find((one) => one === text);
  if (way === undefined) throw new UsageError(`${text}: one of ${ways.join(', ')}`);
  return { way };
}

export function describe({ rttMs, ways: all }: OceanStatus): string[] {
  const rows = all.map(({ way, state, dials, connections, bytes, mirror }) => [
    way,
    state,
    dials,
    String(connections),
    inWords(bytes),
    describeMirror(way, mirror),
  ]);
  return [
    `The ocean between eu and us: a round trip of ${rttMs} ms.`,
    ...align([['way', 'state', 'dials', 'connections', 'arrived', 'mirror'], ...rows]),
  ];
}

function describeMirror(way: WayStatus['way'], mirror: MirrorLag | undefined): string {
  const [from, to] = way.split('-');
  if (mirror === undefined) return `${to} has not been read yet`;
  const age = mirror.askedAgoMs > staleMs ? ` (asked ${seconds(mirror.askedAgoMs)} ago)` : '';
  if (mirror.records === 0) return `${to} has all of ${from}${age}`;
  return `${to} is behind ${from} by ${mirror.records}, for ${seconds(mirror.ms)}${age}`;
}

/** It is asked once a second. */
const staleMs = 3_000;
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
const inWords = (bytes: number): string =>
  bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;

/** @throws StackError */
export function findRegions(states: readonly StackState[], base: number | undefined): StackState {
  const running = states.filter((state) => isAlive(state.supervisor) && (base === undefined || state.base === base));
  const found = running.filter(({ profile }) => profile === 'regions');
  const remedy = 'npm start -- --profile regions starts two regions';
  if (found.length > 1)
    throw new StackError(
      `several shops with two regions run here, on the ports ${found.map((one) => one.base).join(', ')}`,
      'say which with --port-base',
    );
  if (found[0] !== undefined) return found[0];
  throw new StackError(running.length === 0 ? 'no shop runs here' : 'the shop that runs here has one region, and no ocean', remedy);
}

/** A run's data folder holds its logs. */
const keyOf = ({ processes }: StackState): string => readFileSync(join(processes[0]!.logFile, '..', '..', oceanKeyFile), 'utf8').trim();

async function ask(state: StackState, command: OceanCommand | undefined): Promise<OceanStatus> {
  const headers = { authorization: `Bearer ${keyOf(state)}` };
  const sent = command === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(command) };
  const url = `http://127.0.0.1:${oceanControlOf(state.base)}/`;
  const response = await fetch(url, { ...sent, signal: AbortSignal.timeout(answerTimeoutMs) }).catch((error: unknown) => {
    throw new StackError(`the ocean does not answer: ${describeFailure(error)}`, 'npm run status shows whether it runs');
  });
  if (response.ok) return (await response.json()) as OceanStatus;
  const { detail = '' } = (await response.json().catch(() => ({}))) as { detail?: string };
  throw new StackError(`the ocean answered ${response.status} ${detail}`, 'npm run ocean -- --help');
}

/** @param states of all runs on this machine. @returns the lines for the person. @throws UsageError, StackError */
export async function runOcean(words: readonly string[], flags: OceanFlags, states: readonly StackState[]): Promise<string[]> {
  const command = readCommand(words, flags);
  const state = findRegions(states, wholeNumber('--port-base', flags['port-base'], portBases));
  const status = await ask(state, command);
  return flags.json === true ? [JSON.stringify(status)] : describe(status);
}

if (import.meta.main) {
  const options = { dials: { type: 'boolean' }, json: { type: 'boolean' }, 'port-base': { type: 'string' } } as const;
  await runCommandLine({ help, options, wordCountMax: 2 }, async (values, words) => {
    for (const line of await runOcean(words, values, readStates(dataRoot))) process.stdout.write(`${line}\n`);
    return 0;
  });
}
