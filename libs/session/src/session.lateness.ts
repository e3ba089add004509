/**
 * A server that hangs (SIGSTOP, a stalled disk) has in its socket what its callers gave up on long ago, and carries it out when it goes on. For most
 * operations that is harmless. A refresh that moves the counter for nobody is not: the browser comes back with the same token, by then out of
 * the grace, and is taken for a thief. So a refresh says until when it may be begun, by the server's own clock.
 *
 * No two clocks are compared: what the server's clock showed at the last answer is told from what this process' monotonic one showed when it was
 * asked. If the server's clock was set meanwhile the next refresh is refused as late, tells the new time, and is asked once more.
 */

/** Above the command's time-out (500 ms) twice over and any answer's way; far below the grace, most of which is left for coming back. */
const lateAfterMs = 2_000;

export class Lateness {
  readonly #monotonicMs: () => number;
  #differenceMs: number | undefined;

  constructor(monotonicMs: () => number = () => performance.now()) {
    this.#monotonicMs = monotonicMs;
  }

  /** @param ask is given until when it may be begun ('' for ever: before the first answer), and answers what the server's clock showed */
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
