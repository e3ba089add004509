/** One batch at a time works on a partition, whichever log it came from: the place of a partition covers its own log and the copies. */
export class Turns {
  readonly #last = new Map<number, Promise<unknown>>();

  isTaken(partition: number): boolean {
    return this.#last.has(partition);
  }

  /** Runs the work after all earlier work of the partition, however that ended. */
  async take<T>(partition: number, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(partition);
    const turn = before === undefined ? work() : before.then(work, work);
    this.#last.set(partition, turn);
    try {
      return await turn;
    } finally {
      if (this.#last.get(partition) === turn) this.#last.delete(partition);
    }
  }
}
