/** Drives the generator of cart commands. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CartLoaded, CartOrder } from './cart.worker.ts';
import { openWorker } from '../measuring/load.process.ts';
import { checked, perRequest } from '../measuring/load.ts';
import type { CoreUse } from '../measuring/starved.ts';

/** `cpuUs`: microseconds of processor time for each acknowledged command, by process. */
export interface CartBlock extends CartLoaded {
  readonly cpuUs: Readonly<Record<string, number>>;
  readonly core?: CoreUse | undefined;
}

/** The carts that take commands, and their front. The position moves on from block to block. */
export interface Shoppers {
  readonly origin: string;
  readonly cookiesFile: string;
  readonly productIds: readonly string[];
  from: number;
}

export interface CartGenerator {
  /** @throws when commands were refused */
  run(
    what: string,
    shoppers: Shoppers,
    how: Pick<CartOrder, 'how' | 'warmUpSeconds' | 'watch'>,
    pids: Readonly<Record<string, number>>,
  ): Promise<CartBlock>;
  shoppers(name: string, origin: string, cookies: readonly string[], productIds: readonly string[]): Shoppers;
  stop(): Promise<void>;
}

export async function openCartGenerator(dir: string): Promise<CartGenerator> {
  rmSync(dir, { recursive: true, force: true });
  // The file has cookies of test sessions, so only this user may read it.
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const worker = await openWorker<CartOrder, CartLoaded>(join(import.meta.dirname, 'cart.worker.ts'));
  return {
    shoppers(name, origin, cookies, productIds) {
      const cookiesFile = join(dir, `${name}.json`);
      writeFileSync(cookiesFile, JSON.stringify(cookies), { mode: 0o600 });
      return { origin, cookiesFile, productIds, from: 0 };
    },
    async run(what, shoppers, how, pids) {
      const { result, spentMs, core } = await worker.measure({ ...shoppers, ...how }, pids);
      shoppers.from = result.next;
      return checked({ ...result, cpuUs: perRequest(spentMs, result.answered), core }, what);
    },
    async stop() {
      await worker.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
