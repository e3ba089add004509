/**
 * `npm run fault -- list | on NAME | off [NAME]`: breaks the shop that runs here, for one trainee or for everybody. The command says what is wanted and
 * ends. The Observatory keeps the switch until its end, and each process of the shop keeps it by a lease of 2 s. So a fault needs no terminal to stay
 * open, and ends with the Observatory.
 */
import type { FaultOn, FaultsView, FaultView, FaultWanted } from '@cloakroom/contracts';
import { describeFailure, StackError } from '../stack/outcome.ts';
import type { ObservatoryDoor } from '../supervisor/state.ts';
import { runningShop } from './running-shop.ts';
import { align } from './status.ts';

/** The Observatory answers at once. One that is paused does not answer at all. */
const answerTimeoutMs = 5_000;

export interface OnFlags {
  readonly at?: string;
  readonly mine?: string;
  readonly everybody: boolean;
  /** Milliseconds. */
  readonly strength?: number;
  readonly for?: number;
  readonly portBase?: number;
}

type Print = (line: string) => void;

export async function listFaults({ portBase }: { readonly portBase?: number }, print: Print): Promise<number> {
  const { faults, on } = await ask<FaultsView>(doorOf(portBase), 'GET', '');
  for (const line of describeFaults(faults)) print(line);
  print('');
  for (const line of on.length === 0 ? ['Nothing is on.'] : ['On now:', ...align(on.map(rowOf))]) print(line);
  return 0;
}

export async function switchOn(
  name: string,
  { at, mine, everybody, strength, for: forMs, portBase }: OnFlags,
  print: Print,
): Promise<number> {
  const wanted: FaultWanted = {
    ...(at !== undefined && { at }),
    ...(mine !== undefined && { mine }),
    ...(everybody && { everybody }),
    ...(strength !== undefined && { strengthMs: strength }),
    ...(forMs !== undefined && { forMs }),
  };
  const on = await ask<FaultOn>(doorOf(portBase), 'PUT', `/${encodeURIComponent(name)}`, wanted);
  print(`${describeOn(on)}. It ends by itself in ${duration(on.leftMs)}; this command need not stay open.`);
  print(`Off before that: npm run fault -- off ${on.name}`);
  return 0;
}

export async function switchOff(
  name: string | undefined,
  flags: { readonly mine?: string; readonly portBase?: number },
  print: Print,
): Promise<number> {
  const whose = flags.mine === undefined ? '' : `?mine=${encodeURIComponent(flags.mine)}`;
  const off = await ask<readonly FaultOn[]>(
    doorOf(flags.portBase),
    'DELETE',
    (name === undefined ? '' : `/${encodeURIComponent(name)}`) + whose,
  );
  for (const one of off) print(`off: ${one.name} for ${one.mine ?? 'everybody'}`);
  if (off.length === 0) print('Nothing was on.');
  return 0;
}

/** @throws StackError */
function doorOf(base: number | undefined): ObservatoryDoor {
  const { state } = runningShop({ portBase: base });
  if (state.observatory !== undefined) return state.observatory;
  throw new StackError(
    `the shop that runs here has no Observatory (${state.provider})`,
    'faults need one: npm start -- --infra native, or embedded, without --no-observatory',
  );
}

async function ask<Answer>({ url, pageKey }: ObservatoryDoor, method: string, path: string, body?: object): Promise<Answer> {
  const headers = { authorization: `Bearer ${pageKey}`, ...(body !== undefined && { 'content-type': 'application/json' }) };
  const sent = { method, headers, signal: AbortSignal.timeout(answerTimeoutMs), ...(body !== undefined && { body: JSON.stringify(body) }) };
  // By its number: a name may lead to another user's server on the other loopback.
  const response = await fetch(`${url.replace('localhost', '127.0.0.1')}/api/faults${path}`, sent).catch((error: unknown) => {
    throw new StackError(`the Observatory at ${url} does not answer: ${describeFailure(error)}`, 'npm run status shows whether it runs');
  });
  if (response.ok) return (await response.json()) as Answer;
  const { detail = `it answered ${response.status}` } = (await response.json().catch(() => ({}))) as { detail?: string };
  throw new StackError(detail.replace(/\.$/, ''), 'npm run fault -- list tells what there is');
}

function describeFaults(faults: readonly FaultView[]): string[] {
  const methods = faults.find(({ at }) => at?.what === 'method')?.at?.among ?? [];
  return [...faults.flatMap(describeFault), '', 'Methods:', ...align(columns(methods, 4))];
}

function describeFault({ name, title, explanation, reach, strength, at }: FaultView): string[] {
  const among = at?.what === 'method' ? 'one of those below' : at?.among.join(', ') || 'none runs';
  return [
    `${name}: ${title} (${reach === 'mine' ? 'for one trainee, or everybody' : 'meets everybody'})`,
    `    ${explanation}`,
    ...(strength === undefined
      ? []
      : [`    --strength ${duration(strength.minMs)} to ${duration(strength.maxMs)}, usually ${duration(strength.usualMs)}`]),
    ...(at === undefined ? [] : [`    --at ${at.what}${at.needed ? '' : ' (everywhere without it)'}: ${among}`]),
  ];
}

const columns = (all: readonly string[], count: number): string[][] =>
  Array.from({ length: Math.ceil(all.length / count) }, (_, row) => all.slice(row * count, (row + 1) * count));

const rowOf = (on: FaultOn): string[] => [describeOn(on), `ends in ${duration(on.leftMs)}`];

const describeOn = ({ name, at, mine, strengthMs }: FaultOn): string =>
  [name, at, strengthMs === undefined ? undefined : `${strengthMs}ms`, `for ${mine ?? 'EVERYBODY'}`]
    .filter((part) => part !== undefined)
    .join(' ');

const duration = (ms: number): string => (ms < 1_000 ? `${ms}ms` : `${Math.round(ms / 1_000)}s`);
