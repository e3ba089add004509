/** Reads what a person wants to break, and refuses what must not be: somebody else's world, everybody's by mistake, a strength out of bounds. */
import {
  type ConnectionEnds,
  experimentPattern,
  faultKinds,
  faultMaxMs,
  faultNames,
  type FaultKind,
  type FaultName,
  faultPlaces,
  type FaultSwitch,
  type LinkedStack,
  traineeCookie,
} from '@cloakroom/contracts';
import { z } from 'zod';
import type { FaultView } from '../api.ts';
import { Refusal } from '../edge/refusal.ts';
import type { Wanted } from './fault-switches.ts';

/** Long enough to look at it twice. */
const usualForMs = 2 * 60_000;
const forMinMs = 1_000;

const wish = z.strictObject({
  mine: z.string().regex(experimentPattern).optional(),
  everybody: z.literal(true).optional(),
  strengthMs: z.number().int().optional(),
  at: z.string().max(128).optional(),
  forMs: z.number().int().min(forMinMs).max(faultMaxMs).default(usualForMs),
});

const invalid = (detail: string): Refusal => new Refusal('invalid_request', detail);

export function faultNamed(name: string): FaultName {
  const found = faultNames.find((one) => one === name);
  if (found === undefined) throw new Refusal('not_found', `There is no fault ${name}. There are: ${faultNames.join(', ')}.`);
  return found;
}

/** @param asker the trainee's id in the cookie of the request; a command has none. @throws Refusal */
export function readWish(name: string, body: unknown, asker: string | undefined, stack: LinkedStack): Wanted {
  const fault = faultNamed(name);
  const parsed = wish.safeParse(body ?? {});
  if (!parsed.success) throw invalid(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
  const { mine, everybody, strengthMs, at, forMs } = parsed.data;
  const kind = faultKinds[fault];
  if ((mine === undefined) === (everybody === undefined))
    throw invalid('Say for whom: "mine" with your trainee id, or "everybody": true. Everybody is never meant by default.');
  if (mine !== undefined && kind.reach === 'everybody')
    throw invalid('This fault meets everybody, because the records of all people share a partition. Say "everybody": true.');
  if (mine !== undefined && asker !== undefined && mine !== asker)
    throw invalid('A fault of your own is for your own trainee id, and this is another.');
  return {
    fault,
    strengthMs: strengthOf(kind, strengthMs),
    at: placeOf(kind, at, stack),
    experiment: mine,
    forMs,
  };
}

function strengthOf({ strength }: FaultKind, wanted: number | undefined): number {
  if (strength === undefined) {
    if (wanted !== undefined) throw invalid('This fault has no strength: it is on or off.');
    return 0;
  }
  const { minMs, maxMs, usualMs } = strength;
  const ms = wanted ?? usualMs;
  if (ms < minMs || ms > maxMs) throw invalid(`The strength is from ${minMs} to ${maxMs} ms.`);
  return ms;
}

function placeOf(kind: FaultKind, at: string | undefined, stack: LinkedStack): string | undefined {
  const among = placesOf(kind, stack);
  if (kind.at === undefined) {
    if (at !== undefined) throw invalid('This fault has one place: leave "at" out.');
    return undefined;
  }
  if (at === undefined) {
    if (kind.at === 'connection' && among.length === 0) throw invalid('This fault is between two processes: start the shop on native.');
    if (kind.needsAt) throw invalid(`Say at which ${kind.at}: ${among.join(', ')}.`);
    return undefined;
  }
  if (!among.includes(at)) throw invalid(`There is no ${kind.at} ${at}. There are: ${among.join(', ')}.`);
  return at;
}

/** "gateway-1:auth": the process that connects, and the one that listens. */
const connectionsOf = (processes: LinkedStack['processes']): readonly string[] =>
  processes.flatMap(({ name, connectsTo = [] }) => connectsTo.map((other) => `${name}:${other}`));

/** These facts let the connecting process find its connections; undefined while one of the two does not run. */
export function endsOf({ fault, at = '' }: FaultSwitch, { processes }: LinkedStack): ConnectionEnds | undefined {
  if (faultKinds[fault].at !== 'connection') return undefined;
  const [from, to] = at.split(':').map((end) => processes.find(({ name }) => name === end));
  return from?.pid === undefined || to === undefined ? undefined : { pid: from.pid, ports: to.ports };
}

/** Processes that hear revocations: the gateways, and the services that judge passports by the feed. */
const withFeed = /^(?:gateway-\d+|cart|profile|orders)$/;

function placesOf({ at }: FaultKind, { processes }: LinkedStack): readonly string[] {
  if (at === undefined) return [];
  if (at === 'connection') return connectionsOf(processes);
  if (at !== 'process') return faultPlaces[at];
  // Replicas of one service have one name in a switch, as their feeds do.
  const names = processes.flatMap(({ name, apps }) => (apps.length > 0 ? apps : [name]));
  return [...new Set(names.map((name) => name.replace(/^(cart|profile|orders)-\d+$/, '$1')))].filter((name) => withFeed.test(name));
}

export function faultViews(stack: LinkedStack): FaultView[] {
  return faultNames.flatMap((name) => {
    const kind = faultKinds[name];
    const { title, explanation, reach, strength, file } = kind;
    const at = kind.at === undefined ? undefined : { what: kind.at, needed: kind.needsAt, among: placesOf(kind, stack) };
    // Where all services share a process, no connection between two can be cut.
    return at?.what === 'connection' && at.among.length === 0 ? [] : [{ name, title, explanation, reach, strength, at, file }];
  });
}

const trainee = new RegExp(`(?:^|;)[ \\t]*${traineeCookie}=([^;]*)`);
export const traineeOf = (cookies: string | undefined): string | undefined => trainee.exec(cookies ?? '')?.[1];
