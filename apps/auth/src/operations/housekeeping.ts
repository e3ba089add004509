/** Runs every minute: finishes sign-ins that broke half-way, and deletes old revocations, devices and history. */
import type { Auth } from '../auth.ts';
import { finishClaims } from '../sign-in/finish-claims.ts';
import { pruneHistory } from '../database/identity-history.ts';
import { pruneDevices } from '../throttle/known-devices.ts';
import { pruneRevocations } from '../revocation/revocations.ts';

const intervalMs = 60_000;

export interface Housekeeping {
  start(): void;
  stop(): Promise<void>;
}

export function openHousekeeping(auth: Auth): Housekeeping {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const keepHouse = async (): Promise<void> => {
    try {
      const finished = await finishClaims(auth);
      const nowMs = auth.clock.nowMs();
      const forgotten =
        (await pruneRevocations(auth.database, nowMs)) +
        (await pruneDevices(auth.database, nowMs)) +
        (await pruneHistory(auth.database, nowMs));
      if (finished + forgotten > 0) auth.log.info({ finished, forgotten }, 'kept house');
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
      await running;
    },
  };
}
