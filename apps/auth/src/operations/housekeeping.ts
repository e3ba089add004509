/** Runs every minute: finishes sign-ins that broke half-way, gives accounts from before a home, and deletes old revocations, devices and history. */
import { startTrace } from '@cloakroom/platform';
import { tellDeciders } from '../accounts/tell-deciders.ts';
import type { Auth } from '../auth.ts';
import { finishClaims } from '../sign-in/finish-claims.ts';
import { finishClaimsAbroad } from '../sign-in/claim-abroad.ts';
import { pruneHistory } from '../database/identity-history.ts';
import { pruneDevices } from '../throttle/known-devices.ts';
import { pruneRevocations } from '../revocation/revocations.ts';

const intervalMs = 60_000;
/** For one question to the other region, which has a deadline of its own below this (accounts/addresses.ts, sign-in/claim-abroad.ts). */
const questionBudgetMs = 4_000;

export interface Housekeeping {
  start(): void;
  stop(): Promise<void>;
}

export function openHousekeeping(auth: Auth): Housekeeping {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const stopping = new AbortController();
  const keepHouse = async (): Promise<void> => {
    try {
      const newCall = () => ({ budgetMs: questionBudgetMs, trace: startTrace(auth.random) });
      const finished = (await finishClaims(auth)) + (await finishClaimsAbroad(auth, newCall, stopping.signal));
      const told = await tellDeciders(auth, newCall, stopping.signal);
      const nowMs = auth.clock.nowMs();
      const forgotten =
        (await pruneRevocations(auth.database, nowMs)) +
        (await pruneDevices(auth.database, nowMs)) +
        (await pruneHistory(auth.database, nowMs));
      if (finished + told + forgotten > 0) auth.log.info({ finished, told, forgotten }, 'kept house');
    } catch (error) {
      auth.log.warn({ err: error }, 'keeping house waits');
    }
  };
  const beginOne = (): void => {
    running = running.then(keepHouse);
  };
  return {
    start: () => {
      beginOne();
      timer = setInterval(beginOne, intervalMs);
    },
    stop: async () => {
      clearInterval(timer);
      stopping.abort();
      await running;
    },
  };
}
