/** Histories made by hand: one operation after another, 10 ms each by default. */
import { textOf } from './history.terms.ts';
import type { History, Operation, OperationKind } from './history.ts';

const stepMs = 10;

type Changes = Partial<Pick<Operation, 'outcome' | 'error' | 'gateway' | 'client' | 'person' | 'completedAtMs'>> & {
  readonly input?: Readonly<Record<string, unknown>>;
  readonly output?: Readonly<Record<string, unknown>>;
  /** Pause before the operation. */
  readonly afterMs?: number;
};

/** By default the person p1 with the device d1, signed in, and the product `cap`. */
export class Handmade {
  readonly #operations: Operation[] = [];
  readonly #faults: History['faults'][number][] = [];
  #now = 1_000;

  do(kind: OperationKind, changes: Changes = {}): Operation {
    this.#now += changes.afterMs ?? stepMs;
    const { input = {}, output, outcome = 'ok', error } = changes;
    const operation: Operation = {
      id: this.#operations.length,
      client: changes.client ?? 'd1',
      person: changes.person ?? 'p1',
      kind,
      gateway: changes.gateway ?? 'http://localhost:4000',
      invokedAtMs: this.#now,
      completedAtMs: outcome === 'unknown' ? undefined : (this.#now += stepMs),
      outcome,
      input: { session: 'd1#1', cart: 'user:p1', ...input },
      ...(output !== undefined && outcome === 'ok' && { output }),
      ...(error !== undefined && { error }),
    };
    this.#operations.push(operation);
    return operation;
  }

  add(commandId: string, quantity = 1, changes: Changes = {}): Operation {
    const input = { commandId, attempt: 1, productId: 'cap', quantity, ...changes.input };
    return this.do('add', { output: { token: '' }, ...changes, input });
  }

  set(commandId: string, quantity: number, observed: readonly string[], changes: Changes = {}): Operation {
    const input = { commandId, attempt: 1, productId: 'cap', quantity, observed, ...changes.input };
    return this.do('set', { output: { token: '' }, ...changes, input });
  }

  remove(commandId: string, observed: readonly string[], changes: Changes = {}): Operation {
    return this.do('remove', {
      output: { token: '' },
      ...changes,
      input: { commandId, attempt: 1, productId: 'cap', observed, ...changes.input },
    });
  }

  /** A read that shows one line `cap`, made of these dots. */
  read(quantity: number, dots: readonly string[], changes: Changes = {}): Operation {
    const lines = quantity === 0 ? [] : [{ productId: 'cap', quantity, dots }];
    const cart = textOf(changes.input?.['cart']) || 'user:p1';
    const output = {
      reached: textOf(changes.input?.['token']),
      cartId: `id of ${cart}`,
      lines,
      dots,
      coupons: [],
      stale: false,
      incomplete: false,
      behind: 0,
      merge: 'none',
      ...changes.output,
    };
    return this.do('read', { ...changes, output });
  }

  /** The last reads of a device, at both gateways. */
  end(quantity: number, dots: readonly string[], changes: Changes = {}): void {
    for (const gateway of ['http://localhost:4000', 'http://localhost:4001']) {
      this.read(quantity, dots, { ...changes, gateway, input: { ...changes.input, final: true } });
    }
  }

  /** An order of these dots: two caps for 100 each by default. */
  checkout(key: string, observed: readonly string[], quantity: number, changes: Changes = {}): Operation {
    const total = quantity * 100;
    const order = {
      orderId: `order of ${key}`,
      status: 'placed',
      lines: [{ productId: 'cap', quantity, unitPrice: 100 }],
      subtotal: total,
      discount: 0,
      total,
      ...changes.output,
    };
    const input = { key, attempt: 1, observed, lines: { cap: quantity }, expectedTotal: total, ...changes.input };
    return this.do('checkout', { ...changes, input, output: order });
  }

  fault(target: string, fromMs: number, toMs: number): void {
    this.#faults.push({ name: 'kill', target, fromMs, toMs });
  }

  get nowMs(): number {
    return this.#now;
  }

  history(): History {
    return { seed: 0, operations: this.#operations, faults: this.#faults, healedAtMs: this.#now };
  }
}
