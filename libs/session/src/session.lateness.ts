/**
 * A hung server (SIGSTOP, a stalled disk) still has commands in its socket that its callers gave up on long ago. It carries them out when it goes on.
 * For most operations that is harmless. A late refresh is not: it moves the counter, and its caller has gone. The browser comes back with the same
 * token after the grace, and counts as a thief. So a refresh states until when it may be begun, by the server's own clock.
 *
 * No two clocks are compared. The process estimates the server's clock from its last answer and from its own monotonic clock when it asked. If the
 * server's clock was set meanwhile, the next refresh is refused as late. The refusal tells the new time, and the process asks once more.
 */

/** More than twice the command's time-out (500 ms) plus an answer's way. Far below the grace, so the browser has time to come back. */
const lateAfterMs = 2_000;

export class Lateness {
  readonly #monotonicMs: () => number;
  #differenceMs: number | undefined;

  constructor(monotonicMs: () => number = () => performance.now()) {
    this.#monotonicMs = monotonicMs;
  }

  /** @param ask is given until when it may be begun ('' for ever: before the first answer), and answers with the server's clock */
  async within<Answer extends { readonly late: boolean; readonly atMs: number }>(
    ask: (untilMs: number | '') => Promise<Answer>,
  ): Promise<Answer> {
    const first = await this.#ask(ask);
    return first.late ? this.#ask(ask) : first;
  }

  async #ask<Answer extends { readonly atMs: number }>(ask: (untilMs: number | '') => Promise<Answer>): Promise<Answer> {
    const sentMs = this.#monotonicMs();
    const answer = await ask(this.#differenceMs === undefined ? '' : Math.round(sentMs + this.#differenceMs + lateAfterMs));
    this.#differenceMs = answer.atMs - sentMs;
    return answer;
  }
}
