/**
 * Keeps the share of this region filled, and tells what the decider has left. Orders take from the share alone. An
 * order that the share cannot serve asks the decider first. In a cut the share is all there is.
 */
import { isProblem, type Problem, type TransferStockRequest } from '@cloakroom/contracts';
import type { OutgoingCall } from '@cloakroom/mesh';
import { type Clock, type Logger, type TraceContext } from '@cloakroom/platform';
import type { Kysely } from 'kysely';
import type { CatalogSchema } from '../products.ts';
import type { StockLine } from './reservations.ts';
import { adoptLedger, beginTransfer, openOwnShare, readOwnShare, settleTransfer, type OwnShare } from './share.state.ts';
import type { Transferred } from './transfer-stock.ts';

/** How old the decider's figures are at most while it answers. */
const lookEveryMs = 2_000;
/** After a failure, to know soon whether this is a cut. */
const lookAgainMs = 500;
/** The budget of the rpc in its contract. */
const budgetMs = 1_500;
/** One failure may be a busy machine. */
const failuresOfCut = 2;

export interface ShareParts {
  readonly db: Kysely<CatalogSchema>;
  readonly transferStock: (
    call: OutgoingCall,
    request: Omit<TransferStockRequest, '$typeName' | 'wanted' | 'returned'> & Moves,
  ) => Promise<Answer>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly newId: () => string;
  readonly newTrace: () => TraceContext;
}

interface Moves {
  readonly wanted: StockLine[];
  readonly returned: StockLine[];
}
type Answer = Transferred | Problem;

interface Demand {
  readonly missing: readonly StockLine[];
  readonly end: (settled: boolean) => void;
}

export class StockShare {
  readonly #parts: ShareParts;
  readonly #demands = new Set<Demand>();
  readonly #ended = new AbortController();
  #left: ReadonlyMap<string, number> | undefined;
  #heardAtMs: number;
  #failures = 0;
  #wake: () => void = () => undefined;
  #working: Promise<void> = Promise.resolve();

  private constructor(parts: ShareParts) {
    this.#parts = parts;
    this.#heardAtMs = parts.clock.nowMs();
  }

  static async open(parts: ShareParts): Promise<StockShare> {
    await openOwnShare(parts.db, parts.newId);
    return new StockShare(parts);
  }

  /** The decider's stock of a product, as it last told. Nothing while it is out of reach. */
  elsewhere(productId: string): number {
    return this.#left?.get(productId) ?? 0;
  }

  /** Undefined while the decider answers; else when it last did, or this process began. */
  get cutSinceMs(): number | undefined {
    return this.#left === undefined ? this.#heardAtMs : undefined;
  }

  /** Whether an order waits for the decider. */
  get isAsked(): boolean {
    return this.#demands.size > 0;
  }

  /** Asks the decider for what is missing. @returns whether it has answered in time */
  async fill(missing: readonly StockLine[], waitMs: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const demand: Demand = { missing, end: resolve };
    const timer = setTimeout(() => resolve(false), waitMs);
    this.#demands.add(demand);
    this.#wake();
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#demands.delete(demand);
    }
  }

  start(): void {
    this.#working = this.#work();
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    this.#wake();
    await this.#working;
  }

  async #work(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      await this.round().catch((error: unknown) => this.#parts.log.warn({ err: error }, 'the share of the stock could not be kept'));
      if (this.#demands.size === 0) await this.#pause(this.#failures > 0 ? lookAgainMs : lookEveryMs);
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.#ended.signal.aborted) this.#wake();
    });
  }

  /** Sends what is open, then what is missing now. At least it asks what is left. */
  async round(): Promise<void> {
    const demands = [...this.#demands];
    for (const demand of demands) this.#demands.delete(demand);
    let settled = false;
    try {
      settled = await this.#exchange(demands);
    } finally {
      for (const demand of demands) demand.end(settled);
    }
  }

  async #exchange(demands: readonly Demand[]): Promise<boolean> {
    const { db } = this.#parts;
    const before = await readOwnShare(db);
    if ((before.open === 1 || this.#left === undefined) && !(await this.#send(before))) return false;
    const missing = new Map<string, number>();
    for (const { productId, quantity } of demands.flatMap((demand) => demand.missing))
      missing.set(productId, (missing.get(productId) ?? 0) + quantity);
    return this.#send(await beginTransfer(db, { left: this.#left ?? new Map(), missing }));
  }

  async #send(share: OwnShare): Promise<boolean> {
    const { db, clock, newId, newTrace } = this.#parts;
    const lines = (text: string): StockLine[] => (share.open === 1 ? (JSON.parse(text) as StockLine[]) : []);
    const answer = await this.#parts.transferStock(
      { budgetMs, trace: newTrace(), signal: this.#ended.signal },
      {
        shareId: share.share_id,
        number: share.open === 1 ? share.number : 0,
        ledgerId: share.ledger_id,
        wanted: lines(share.wanted),
        returned: lines(share.returned),
      },
    );
    if (isProblem(answer)) return this.#failed(answer);
    if (answer.ledgerId !== share.ledger_id) await adoptLedger(db, share, answer.ledgerId, newId);
    else if (share.open === 1) await settleTransfer(db, share, answer.granted);
    this.#failures = 0;
    this.#left = new Map(answer.left.map(({ productId, quantity }) => [productId, quantity]));
    this.#heardAtMs = clock.nowMs();
    return true;
  }

  #failed(answer: Problem): false {
    this.#failures += 1;
    if (this.#failures === failuresOfCut) {
      if (answer.problem === 'invalid_request')
        this.#parts.log.error({ answer }, 'a database of the stock went back in time: docs/deploy.md says how its share begins anew');
      else
        this.#parts.log.warn(
          { problem: answer.problem },
          'the region that decides about the stock is out of reach: only the share is sold',
        );
      this.#left = undefined;
    }
    return false;
  }
}
