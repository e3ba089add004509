/**
 * Bounds what is projected at once. A reader that is far behind gets up to 1 MB of records of each partition in one fetch. Without this
 * bound a flood would load the carts of all 24 partitions at the same time.
 */
import type { RecordBatch } from '@cloakroom/event-log';

/** Two full batches. At 300 commands a second a fetch brings 3 or so. */
const cartCountMax = 1_000;
/** Bytes of records, as the log holds them: two partitions of a full fetch, and a hundred times what a common load brings. */
const bytesMax = 2 * 1024 * 1024;

interface Size {
  readonly carts: number;
  readonly bytes: number;
}

export class Room {
  #carts = 0;
  #bytes = 0;
  /** At most one for each partition. */
  readonly #queue: { readonly size: Size; readonly enter: () => void }[] = [];

  /** Runs the work when there is room for its batch. First come, first served. A batch that is larger than the room gets it alone. */
  async within<T>(batch: Pick<RecordBatch, 'records'>, work: () => Promise<T>): Promise<T> {
    const size = sizeOf(batch);
    if (this.#queue.length > 0 || !this.#fits(size)) await new Promise<void>((enter) => this.#queue.push({ size, enter }));
    else this.#take(size);
    try {
      return await work();
    } finally {
      this.#carts -= size.carts;
      this.#bytes -= size.bytes;
      this.#admit();
    }
  }

  #admit(): void {
    for (let [first] = this.#queue; first !== undefined && this.#fits(first.size); [first] = this.#queue) {
      this.#queue.shift();
      this.#take(first.size);
      first.enter();
    }
  }

  #fits({ carts, bytes }: Size): boolean {
    return this.#carts === 0 || (this.#carts + carts <= cartCountMax && this.#bytes + bytes <= bytesMax);
  }

  #take({ carts, bytes }: Size): void {
    this.#carts += carts;
    this.#bytes += bytes;
  }
}

function sizeOf({ records }: Pick<RecordBatch, 'records'>): Size {
  const bytes = records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
  return { carts: new Set(records.map(({ key }) => key)).size, bytes };
}
