/** Answers to a person while the ocean is cut, and how long each takes. A refusal is an answer too. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Person } from '../measuring/people.ts';
import { makePeople, newCommand, plainProduct, signInAt, type Place, type Regions, type Told } from './regions.world.ts';

export const cuts = [
  { name: 'cut both ways', command: { do: 'cut' } },
  { name: 'cut from abroad to home', command: { do: 'cut', way: 'us-eu' } },
  { name: 'cut from home to abroad', command: { do: 'cut', way: 'eu-us' } },
] as const;

export interface Met {
  readonly operation: string;
  readonly place: Place;
  /** "200", or "503 home_region_unreachable"; most often first. */
  readonly answers: readonly (readonly [answer: string, count: number])[];
  readonly ms: readonly number[];
}

export interface CutMeasured {
  readonly name: string;
  readonly met: readonly Met[];
}

/** The lease lives 2 s. Everything is measured after its end. */
const degradeTimeoutMs = 60_000;
const knownTimeoutMs = 120_000;

type Operation = readonly [name: string, place: Place, ask: (index: number) => Promise<Told>];

export async function measureCut(cut: (typeof cuts)[number], regions: Regions, count: number): Promise<CutMeasured> {
  const { ask, ocean } = regions;
  const productId = await plainProduct(regions);
  // A stranger's guesses at one e-mail are counted, so each sign-in that home cannot judge is of another person.
  const foreign = await makePeople(regions, 'home', count);
  const [person, returning] = (await makePeople(regions, 'home', 2)) as [Person, Person];
  // Each sign-in is a session, and an account has ten at most. So who reads the cart is not who signs in.
  const [local, visitor] = (await makePeople(regions, 'abroad', 2)) as [Person, Person];
  const known = await signInAt(regions, 'home', person);
  const unknown: string[] = [];
  for (let index = 0; index < count; index++) unknown.push((await ask('home', '/api/session/guest', { method: 'POST', body: {} })).cookie);
  const there = await signInAt(regions, 'abroad', local);
  await until('known abroad', async () => (await ask('abroad', '/api/cart', { cookie: known })).decision === 'hybrid hit', knownTimeoutMs);
  await until(
    'the profile has a copy abroad',
    async () => (await ask('abroad', '/api/profile', { cookie: known })).status === 200,
    knownTimeoutMs,
  );
  const put = (place: Place, cookie: string) => ask(place, '/api/cart/lines', { method: 'POST', cookie, body: newCommand(productId) });
  const rename = (index: number) => ask('abroad', '/api/profile', { method: 'PATCH', cookie: known, body: { name: `Name ${index}` } });
  const login = (place: Place, body: Person) => ask(place, '/api/session/login', { method: 'POST', body });
  await ocean(cut.command);
  try {
    // On a crowded machine the passport may be over by then too, and the answers say so.
    const leaseOver = async (): Promise<boolean> => {
      const { status, decision } = await ask('abroad', '/api/cart', { cookie: known });
      return decision === 'hybrid degraded' || status === 503;
    };
    await until('the lease has ended abroad', leaseOver, degradeTimeoutMs);
    // A passport lives 60 s, so what rests on it comes first.
    const operations: Operation[] = [
      ['read the cart, known there', 'abroad', () => ask('abroad', '/api/cart', { cookie: known })],
      ['put into the cart, known there', 'abroad', () => put('abroad', known)],
      ['read the profile', 'abroad', () => ask('abroad', '/api/profile', { cookie: known })],
      ['list the devices', 'abroad', () => ask('abroad', '/api/session/devices', { cookie: known })],
      ['change the profile', 'abroad', rename],
      ['read the cart, the first time there', 'abroad', (index) => ask('abroad', '/api/cart', { cookie: unknown[index]! })],
      ['sign in, account of home', 'abroad', (index) => login('abroad', foreign[index]!)],
      ['sign in, account of there', 'abroad', () => login('abroad', visitor)],
      ['read the cart, person of there', 'abroad', () => ask('abroad', '/api/cart', { cookie: there })],
      ['put into the cart', 'home', () => put('home', known)],
      ['sign in', 'home', () => login('home', returning)],
    ];
    const met: Met[] = [];
    for (const [operation, place, one] of operations) met.push(await meet(operation, place, one, count));
    return { name: cut.name, met };
  } finally {
    await ocean({ do: 'heal' });
  }
}

async function meet(operation: string, place: Place, ask: (index: number) => Promise<Told>, count: number): Promise<Met> {
  const ms: number[] = [];
  const answers = new Map<string, number>();
  for (let index = 0; index < count; index++) {
    const told = await ask(index);
    ms.push(told.ms);
    const answer = told.status < 400 ? String(told.status) : `${told.status} ${(JSON.parse(told.body) as { code?: string }).code ?? ''}`;
    answers.set(answer, (answers.get(answer) ?? 0) + 1);
  }
  return { operation, place, ms, answers: [...answers].toSorted(([, a], [, b]) => b - a) };
}

async function until(what: string, holds: () => Promise<boolean>, timeoutMs: number): Promise<void> {
  const untilMs = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > untilMs) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await delay(50);
  }
}
