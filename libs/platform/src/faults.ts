/**
 * The seam where a fault may be let in, for a person who studies a shop on their own machine. The code asks at a handful of named points. Nothing
 * answers by default, and then a question is one comparison. The package that answers (libs/faults) is no part of the image that ships.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import type { Logger } from './log.ts';
import { observe, privatePrefix } from './observe.ts';
import { isLocalProvider } from './provider.ts';
import { runningSpan, type Span } from './trace.ts';

/**
 * - `rpc`: a method of the mesh, at its server. `at` is "cloakroom.cart.v1.CartService/GetCart".
 * - `session-store`: auth's store of sessions. `at` is the operation.
 * - `database`: a statement or transaction of a service. `at` is the service.
 * - `cart-view`: a read of a cart, never the projector's own.
 * - `projector`: a batch of the log of carts, before it is applied.
 * - `revocation-feed`: a batch of revocations. `at` is the process: "gateway-1".
 * - `publish`: records on their way into the log. `at` is the topic.
 */
export type FaultPoint = 'rpc' | 'session-store' | 'database' | 'cart-view' | 'projector' | 'revocation-feed' | 'publish';

/** The trouble at a point. Each point knows which of these it can do. */
export interface Trouble {
  /** Wait so long first. */
  readonly delayMs: number;
  /** Then fail, as if the part did not answer. */
  readonly fails: boolean;
  /** The work is done, and its answer never arrives: the caller cannot know. */
  readonly losesAnswer: boolean;
  /** A read shows the state of so long ago. 0: the newest. */
  readonly oldMs: number;
  /** Nothing goes on here while the switch is on. */
  readonly holds: boolean;
  /** Whether its switch is still on: asked whenever a switch changes or a lease ends. Absent: until all are off. */
  readonly isOn?: () => boolean;
}

/** @param experiment of the request; undefined for work of no request, which meets only what is everybody's */
export type Faults = (point: FaultPoint, at: string, experiment: string | undefined) => Promise<Trouble | undefined>;

/** Undefined while no switch is on anywhere: the usual state, with the provider and without it. */
let faults: Faults | undefined;

/** Whether an experiment has a switch of its own. */
let hasOwn: (experiment: string) => boolean;

/** The waits that a fault makes. Each looks here whether it is over. */
const waits = new Set<() => void>();

/**
 * For libs/faults and tests: who answers while a switch is on. Called again at each change, so that waits end with their switch.
 * @param ownSwitches whether an experiment has a switch of its own, not everybody's
 */
export function armFaults(given: Faults | undefined, ownSwitches: (experiment: string) => boolean = () => true): void {
  faults = given;
  hasOwn = ownSwitches;
  for (const look of waits) look();
}

/** Whether any switch is on, for whomever. */
export const faultsArmed = (): boolean => faults !== undefined;

/** Whether a switch of this experiment's own is on. */
export const meetsOwnFaults = (experiment: string | undefined): boolean =>
  faults !== undefined && experiment !== undefined && hasOwn(experiment);

/**
 * Code below the ports does not know its caller. So the experiment of the running call is kept here, while a switch is on, and for faults alone. No
 * decision of the shop may read it.
 */
const running = new AsyncLocalStorage<{ readonly experiment: string; readonly signal: AbortSignal | undefined }>();

/**
 * Runs a call so that points below its ports belong to its experiment, or to none. A call may begin in the context of another one: the answer of one
 * question lets the next of its stream in. @param signal ends their waits: the caller is gone, or its time is over
 */
export function withExperiment<Result>(experiment: string | undefined, work: () => Result, signal?: AbortSignal): Result {
  if (faults === undefined) return work();
  return experiment === undefined ? running.exit(work) : running.run({ experiment, signal }, work);
}

/** Runs work that several calls share: whichever began it, no experiment's fault may hold it up for the others. */
export function withoutExperiment<Result>(work: () => Result): Result {
  return faults === undefined ? work() : running.exit(work);
}

/** The experiment of the running call, for points below the ports. */
export const experimentBelow = (): string | undefined => running.getStore()?.experiment;

/**
 * @param experiment undefined meets only what is everybody's
 * @returns the trouble for this experiment at this point, or undefined at once while no switch is on
 */
export function troubleAt(point: FaultPoint, at: string, experiment: string | undefined): Promise<Trouble | undefined> | undefined {
  return faults === undefined ? undefined : faults(point, at, experiment);
}

const isOver = (trouble: Trouble): boolean => faults === undefined || trouble.isOn?.() === false;

/** The spans that a wait belongs to. */
type Waiting = readonly (Span | undefined)[];

/**
 * Waits as the trouble says. A switch that goes off, a lease that ends, and a caller that is gone end the wait.
 * @param spans told how long it was
 * @returns whether the trouble is still on
 */
export async function waitInTrouble(trouble: Trouble, signal: AbortSignal | undefined, spans: Waiting = [runningSpan()]): Promise<boolean> {
  if (trouble.delayMs > 0 && !isOver(trouble) && signal?.aborted !== true) {
    const [fromMs, since] = [Date.now(), performance.now()];
    await waitOrEnd(trouble, signal);
    tellWait(spans, `${fromMs} ${(performance.now() - since).toFixed(3)}`);
  }
  return !isOver(trouble);
}

/** The waits that a span has told. A work of many statements meets a slow database at each. */
const told = new WeakMap<Span, readonly string[]>();
/** An attribute of a span has a limit of its own, and a page that shows more than these is not read. */
const toldCountMax = 20;

function tellWait(spans: Waiting, wait: string): void {
  for (const span of spans)
    observe(span, () => {
      const waits = [...(told.get(span!) ?? []), wait].slice(0, toldCountMax);
      told.set(span!, waits);
      return { [`${privatePrefix}fault.waits`]: waits.join(', ') };
    });
}

function waitOrEnd(trouble: Trouble, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      waits.delete(look);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const look = (): void => {
      if (isOver(trouble)) end();
    };
    const timer = setTimeout(end, trouble.delayMs);
    waits.add(look);
    signal?.addEventListener('abort', end, { once: true });
  });
}

/** Waits, and fails unless the switch went off meanwhile. @param spans as in `waitInTrouble` @throws what `failure` makes */
export async function undergo(trouble: Trouble | undefined, failure: () => Error, spans?: Waiting): Promise<void> {
  if (trouble === undefined) return;
  const stillOn = await waitInTrouble(trouble, running.getStore()?.signal, spans);
  if (stillOn && trouble.fails) throw failure();
}

/** The configuration of a process, as far as faults go. */
export interface FaultsConfig {
  readonly PROVIDER?: string | undefined;
  readonly OBSERVATORY_URL?: string | undefined;
  readonly OBSERVATORY_SPAN_KEY?: string | undefined;
}

interface Package {
  followSwitches(options: {
    readonly url: string;
    readonly key: string;
    readonly log: Logger;
    readonly connections: ReadonlySet<Socket>;
  }): Promise<() => void>;
}

/** A variable, so that neither the compiler nor an image makes this package part of every process. */
const packageName: string = '@cloakroom/faults';

/**
 * Follows the switches of the Observatory, where there is one. Never outside of a local shop, whatever is configured. The start of the process does
 * not wait for it.
 * @returns stops it
 */
export function startFaults(config: FaultsConfig, log: Logger): () => void {
  const { PROVIDER: provider, OBSERVATORY_URL: url, OBSERVATORY_SPAN_KEY: key } = config;
  if (url === undefined || key === undefined || !isLocalProvider(provider ?? '')) return () => undefined;
  let stopped = false;
  let stop = (): void => undefined;
  const connections = rememberConnections();
  const follow = async (): Promise<void> => {
    const { followSwitches } = (await import(packageName)) as Package;
    stop = await followSwitches({ url, key, log, connections });
    if (stopped) stop();
  };
  follow().catch((error: unknown) => log.warn({ err: error }, 'faults cannot be switched on here'));
  return () => {
    stopped = true;
    stop();
  };
}

/** The connections that this process opens from now on: a fault may have to end them. It costs something for a connection, and nothing for a request. */
function rememberConnections(): ReadonlySet<Socket> {
  const open = new Set<Socket>();
  subscribe('net.client.socket', (message) => {
    const { socket } = message as { readonly socket: Socket };
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  return open;
}
