/** What the session store of one process holds, by its key in Redis, and the file that keeps it. */
import { StoreUnavailable } from './session.store.ts';
import type { SessionRecord } from './session.store.ts';

type Entry =
  | { readonly kind: 'session'; record: SessionRecord }
  | { readonly kind: 'subject'; epoch: number; readonly hashes: Map<string, string> }
  | { readonly kind: 'tombstone' };
export type Kept = Entry & { untilMs: number };
export type MemoryEntries = Map<string, Kept>;

/** What keeps the entries. Whatever one operation changed is kept whole or not at all. */
export interface SessionFile {
  read(): Iterable<readonly [string, Kept]>;
  /** An entry of undefined is gone. @throws when the disk refuses; then nothing of it is kept */
  write(changes: ReadonlyMap<string, Kept | undefined>): void;
  close(): void;
}

/** Twice what an operation can add (record, index, tombstone and those of an ended session), so that forgetting keeps up with adding. */
const sweepCount = 10;

/** So long reads leave a disk alone that refused: each attempt encodes anew all that is kept back. */
export const rewriteIntervalMs = 1_000;

/** Whoever changes an entry in place says so by `changed`. */
export class KeptEntries {
  readonly #entries: MemoryEntries;
  readonly #file: SessionFile | undefined;
  /** Keys of what was changed since it was last written. */
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

  /** Walks around the entries, a few with every operation; new ones are met in the next round. */
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

  /** @throws StoreUnavailable when the disk refuses; then it goes out with the next */
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

  /** After a read: memory has its answer, whatever the disk says. What was refused goes out with a later operation. */
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
