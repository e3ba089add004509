/**
 * Follows the switches of the Observatory, and arms the points of this process while one of them is on. Off is the rule: what is not renewed ends by
 * itself, and then each point costs one comparison again.
 */
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type FaultName, faultQuietWaitMs, faultRenewalMs } from '@cloakroom/contracts';
import { armFaults, type FaultPoint, type Faults, type Logger, type Trouble } from '@cloakroom/platform';
import { type Client, OpenFeature } from '@openfeature/server-sdk';
import { askSwitches } from './ask-switches.ts';
import { Connections } from './connections.ts';
import { Leases } from './leases.ts';
import { off, SwitchProvider } from './switch-provider.ts';

const domain = 'cloakroom-faults';
/** While the Observatory is away. A shop may run for days beside one that crashed, so it is asked seldom. */
const retryMs = 1_000;

/** Between questions, whatever is answered: an Observatory that answers each at once must not be asked without a pause. */
const pauseMinMs = 100;

export interface Following {
  readonly url: string;
  readonly key: string;
  readonly log: Logger;
  /** Those that this process has open, kept up to date. */
  readonly connections?: ReadonlySet<Socket>;
}

/** @returns stops it, and ends every fault of this process */
export async function followSwitches({ url, key, log, connections = new Set() }: Following): Promise<() => void> {
  const leases = new Leases();
  const wires = new Connections(connections);
  await OpenFeature.setProviderAndWait(domain, new SwitchProvider(leases));
  const ask = asking(OpenFeature.getClient(domain), leases);
  const hasOwn = (experiment: string): boolean => leases.hasOwn(experiment, performance.now());
  const stopped = new AbortController();
  let expiry: NodeJS.Timeout | undefined;
  let armed = false;
  const arm = (): void => {
    clearTimeout(expiry);
    const leftMs = stopped.signal.aborted ? undefined : leases.leftMs(performance.now());
    if (armed !== (leftMs !== undefined)) log.warn({ on: !armed }, 'faults of the Observatory');
    armed = leftMs !== undefined;
    wires.apply(armed ? leases.ofConnections(process.pid, performance.now()) : []);
    armFaults(armed ? ask : undefined, hasOwn);
    if (leftMs !== undefined) expiry = setTimeout(arm, leftMs + 1).unref();
  };
  const follow = async (): Promise<void> => {
    for (let seen = ''; !stopped.signal.aborted;) {
      const askedAtMs = performance.now();
      try {
        const waitMs = seen === '' ? 0 : leases.leftMs(askedAtMs) === undefined ? faultQuietWaitMs : faultRenewalMs;
        const { revision, switches } = await askSwitches({ url, key, seen, waitMs, signal: stopped.signal });
        leases.renew(switches, askedAtMs);
        // News may come at the end of a long wait. Then the lease that it gives is nearly over, so the question is put again at once.
        seen = seen === '' || revision === seen ? revision : '';
      } catch {
        seen = '';
        await delay(retryMs, undefined, { signal: stopped.signal }).catch(() => undefined);
      }
      arm();
      const pauseMs = askedAtMs + pauseMinMs - performance.now();
      if (pauseMs > 0) await delay(pauseMs, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
  };
  void follow();
  return () => {
    stopped.abort();
    arm();
  };
}

/** The faults that a point knows, and what each does there with its strength. */
const effects: Readonly<Record<FaultPoint, readonly (readonly [FaultName, (strengthMs: number) => Partial<Trouble>])[]>> = {
  rpc: [
    ['rpc-slow', (delayMs) => ({ delayMs })],
    ['rpc-fails', () => ({ fails: true })],
    ['rpc-answer-lost', () => ({ losesAnswer: true })],
  ],
  'session-store': [
    ['session-store-slow', (delayMs) => ({ delayMs })],
    ['session-store-fails', () => ({ fails: true })],
  ],
  database: [
    ['database-slow', (delayMs) => ({ delayMs })],
    ['database-fails', () => ({ fails: true })],
  ],
  'cart-view': [['cart-read-stale', (oldMs) => ({ oldMs })]],
  projector: [['projector-held', () => ({ holds: true })]],
  'revocation-feed': [['revocations-held', () => ({ holds: true })]],
  publish: [
    ['publish-slow', (delayMs) => ({ delayMs })],
    ['publish-fails', () => ({ fails: true })],
  ],
};

const none: Trouble = { delayMs: 0, fails: false, losesAnswer: false, oldMs: 0, holds: false };

/** A switch that goes off while a call waits ends the wait. */
function asking(client: Client, leases: Leases): Faults {
  return async (point, at, experiment) => {
    let trouble: Trouble | undefined;
    for (const [name, effect] of effects[point]) {
      const context = { at, ...(experiment !== undefined && { targetingKey: experiment }) };
      const { value: strengthMs, flagMetadata } = await client.getNumberDetails(name, off, context);
      if (strengthMs === off) continue;
      const before = trouble?.isOn;
      const isOn = (): boolean => leases.isHeld(String(flagMetadata['switch']), performance.now()) && before?.() !== false;
      trouble = { ...none, ...trouble, ...effect(strengthMs), isOn };
    }
    return trouble;
  };
}
