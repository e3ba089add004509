/** The entries of a one-process session store, by their keys in Redis, and the file that keeps them. */
import { StoreUnavailable } from './session.store.ts';
import type { SessionRecord } from './session.store.ts';

type Entry =
  | { readonly kind: 'session'; record: SessionRecord }
  | { readonly kind: 'subject'; epoch: number; readonly hashes: Map<string, string> }
  | { readonly kind: 'tombstone' };
export type Kept = Entry & { untilMs: number };
export type MemoryEntries = Map<string, Kept>;

/** Keeps the entries. All changes of one operation are kept, or none. */
export interface SessionFile {
  read(): Iterable<readonly [string, Kept]>;
  /** An entry of undefined is deleted. @throws when the disk refuses; then no entry of the call is kept */
  write(changes: ReadonlyMap<string, Kept | undefined>): void;
  close(): void;
}

/** Twice the number of entries that an operation can add (record, index, tombstone, an ended session's), so that forgetting keeps up with adding. */
const sweepCount = 10;

/** Reads leave a disk that refused alone for so long, because each attempt encodes all pending changes anew. */
export const rewriteIntervalMs = 1_000;

/** Code that changes an entry in place must report it by `changed`. */
export class KeptEntries {
  readonly #entries: MemoryEntries;
  readonly #file: SessionFile | undefined;
  /** Keys of the entries changed since the last write. */
  readonly #changed = new Set<string>();
  #sweep: MapIterator<[string, Kept]>;
  #refusedAtMs = -Infinity;

  constructor(entries: MemoryEntries, file: SessionFile | undefined) {
    this.#entries = entries;
    this.#file = file;
    for (const [key, entry] of file?.read() ?? []) entries.set(key, entry);
    this.#sweep = entries.entries();
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): Kept | undefined {
    return this.#entries.get(key);
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  set(key: string, entry: Kept): void {
    this.#entries.set(key, entry);
    this.#changed.add(key);
  }

  delete(key: string): void {
    this.#entries.delete(key);
    this.#changed.add(key);
  }

  changed(key: string): void {
    this.#changed.add(key);
  }

  /** Walks around the entries, a few with every operation. The next round reaches new entries. */
  forgetSome(nowMs: number): void {
    for (let i = 0; i < sweepCount; i++) {
      const next = this.#sweep.next();
      if (next.done === true) {
        this.#sweep = this.#entries.entries();
        return;
      }
      const [key, entry] = next.value;
      if (entry.untilMs <= nowMs) this.delete(key);
    }
  }

  /** @throws StoreUnavailable when the disk refuses; then the changes go out with the next write */
  write(nowMs: number): void {
    if (this.#file !== undefined && this.#changed.size > 0) {
      try {
        this.#file.write(new Map(Array.from(this.#changed, (key) => [key, this.#entries.get(key)])));
      } catch (cause) {
        this.#refusedAtMs = nowMs;
        throw new StoreUnavailable('the session store could not be written', { cause });
      }
    }
    this.#refusedAtMs = -Infinity;
    this.#changed.clear();
  }

  /** Runs after a read. Memory has the answer, whatever the disk says. Refused changes go out with a later operation. */
  writeIfPossible(nowMs: number): void {
    if (Math.abs(nowMs - this.#refusedAtMs) < rewriteIntervalMs) return;
    try {
      this.write(nowMs);
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
    }
  }

  close(): void {
    this.#file?.close();
  }
}
