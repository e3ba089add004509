/**
 * Runs every minute: finishes sign-ins that broke half-way, gives accounts from before a home, and deletes old revocations, devices and history. Every
 * two seconds: asks the other region for the carts of its guests that wait, so that they are there soon after a cut.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { startTrace } from '@cloakroom/platform';
import { tellDeciders } from '../accounts/tell-deciders.ts';
import type { Auth } from '../auth.ts';
import { finishClaims } from '../sign-in/finish-claims.ts';
import { finishClaimsAbroad, pruneClaimsAbroad } from '../sign-in/claim-abroad.ts';
import { pruneHistory } from '../database/identity-history.ts';
import { pruneDevices } from '../throttle/known-devices.ts';
import { pruneRevocations } from '../revocation/revocations.ts';

const intervalMs = 60_000;
const claimsIntervalMs = 2_000;
/** For one question to the other region, which has a deadline of its own below this (accounts/addresses.ts, sign-in/claim-abroad.ts). */
const questionBudgetMs = 4_000;

export interface Housekeeping {
  start(): void;
  stop(): Promise<void>;
}

export function openHousekeeping(auth: Auth): Housekeeping {
  const stopping = new AbortController();
  const newCall = () => ({ budgetMs: questionBudgetMs, trace: startTrace(auth.random) });
  const keepHouse = async (): Promise<void> => {
    const finished = await finishClaims(auth);
    const told = await tellDeciders(auth, newCall, stopping.signal);
    const nowMs = auth.clock.nowMs();
    const forgotten =
      (await pruneRevocations(auth.database, nowMs)) +
      (await pruneClaimsAbroad(auth.database, nowMs)) +
      (await pruneDevices(auth.database, nowMs)) +
      (await pruneHistory(auth.database, nowMs));
    if (finished + told + forgotten > 0) auth.log.info({ finished, told, forgotten }, 'kept house');
  };
  const claimFromAbroad = async (): Promise<void> => {
    const answered = await finishClaimsAbroad(auth, newCall, stopping.signal);
    if (answered > 0) auth.log.info({ answered }, 'claims of carts of the other region were answered');
  };
  const repeat = async (round: () => Promise<void>, everyMs: number): Promise<void> => {
    while (!stopping.signal.aborted) {
      await round().catch((error: unknown) => auth.log.warn({ err: error }, 'keeping house waits'));
      await sleep(everyMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  };
  let running: Promise<unknown> = Promise.resolve();
  return {
    start: () => {
      running = Promise.all([
        repeat(keepHouse, intervalMs),
        ...(auth.abroad === undefined ? [] : [repeat(claimFromAbroad, claimsIntervalMs)]),
      ]);
    },
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}
