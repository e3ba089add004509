/**
 * The slow dependency: a service behind the real mesh that can do only so much at once, as a database with a few connections. It begins no work
 * whose caller has gone or whose time is too short, as far as it is told.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { CatalogService, problem } from '@cloakroom/contracts';
import { type Admission, implement, type MeshServer, type RequestContext, type Rpcs, serveMesh } from '@cloakroom/mesh';
import { createLogger, systemClock } from '@cloakroom/platform';

export interface Job {
  readonly person: string;
  /** By the monotonic clock of this process. */
  readonly endedMs: number;
}

export interface Warehouse {
  readonly port: number;
  /** Those that were done since the last call. */
  jobs(): Job[];
  /** Resolves when nothing waits or is done any more, and forgets what was. */
  idle(): Promise<void>;
  stop(): Promise<void>;
}

export interface WarehouseOptions {
  readonly workerCount: number;
  readonly jobMs: number;
}

/** The time that an answer needs for its way through two hops, on a busy machine too. */
const wayMs = 100;
const lookIntervalMs = 20;

export const log = createLogger('lab', 'silent');
/** Persons are not the subject here, so each call is let in. */
const letsIn: Admission = {
  admit: () => Promise.resolve({ identity: undefined }),
  standing: () => undefined,
  onRevocation: () => () => undefined,
};

/** A server of the catalog's contract that has some of its methods. */
export function serveCatalog(handlers: Partial<Rpcs<typeof CatalogService>>): Promise<MeshServer> {
  const unused = () => Promise.resolve(problem('not_found'));
  const others = { listProducts: unused, suggest: unused, getProducts: unused, reserveStock: unused, releaseStock: unused };
  const services = [implement(CatalogService, { ...others, ...handlers })];
  return serveMesh({ name: 'catalog', port: 0, tls: undefined, services, admission: letsIn, clock: systemClock, log });
}

export async function openWarehouse({ workerCount, jobMs }: WarehouseOptions): Promise<Warehouse> {
  let done: Job[] = [];
  let free = workerCount;
  const queue: { readonly ctx: RequestContext; readonly decide: (begins: boolean) => void }[] = [];
  const isWorthwhile = ({ signal, deadline }: RequestContext): boolean => !signal.aborted && deadline.remainingMs() >= jobMs + wayMs;
  const next = (): void => {
    while (free > 0 && queue.length > 0) {
      const { ctx, decide } = queue.shift()!;
      const begins = isWorthwhile(ctx);
      if (begins) free -= 1;
      decide(begins);
    }
  };
  const server = await serveCatalog({
    async getProducts(ctx, { productIds }) {
      const begins = await new Promise<boolean>((decide) => {
        queue.push({ ctx, decide });
        next();
      });
      if (!begins) return problem('deadline_exceeded');
      // A query that has begun runs to its end, whoever waits for it.
      await delay(jobMs);
      done.push({ person: productIds[0]!, endedMs: performance.now() });
      free += 1;
      next();
      return { items: [] };
    },
  });
  return {
    port: server.port,
    jobs() {
      const jobs = done;
      done = [];
      return jobs;
    },
    async idle() {
      while (queue.length > 0 || free < workerCount) await delay(lookIntervalMs);
      done = [];
    },
    stop: () => server.stop(),
  };
}
