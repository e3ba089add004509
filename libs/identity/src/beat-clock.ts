/**
 * Relates the monotonic clock of auth's relay to the clock of this process, so that the feed can tell how old a heartbeat is. The feed itself cannot
 * say it: under a steady delay every heartbeat looks prompt. So this process asks the relay, over the mesh.
 *
 * This process asks at the local moment t0, and the relay answers with its clock b. The relay read b after t0. So the relay's clock showed `beat` at
 * the local moment t0 + (beat - b) or later, and a heartbeat is never older than that. A slow answer makes heartbeats look older than they are. That
 * can cost the lease, and can never prolong it. docs/decisions/0018 has the whole argument.
 *
 * The last answer of a relay stands until the next one. It is valid only while both clocks run at the same rate:
 * - A relay whose clock stopped for a moment makes heartbeats look older. When that costs the lease, this process asks the relay again.
 * - A process that slept would take heartbeats for younger. Its wall clock reveals the sleep, and the process drops the answer.
 * - A process that its hypervisor paused would too, because both its clocks stood still. The same happens when the relay's clock jumps ahead. Then a
 *   prompt heartbeat lies in the future, which proves the answer wrong. The process drops the answer and asks the relay again.
 */
import { type AuthService, isProblem, type Problem } from '@cloakroom/contracts';
import { randomBytes } from 'node:crypto';
import { type Clock, hasSlept, startTrace, wallAheadMs } from '@cloakroom/platform';
import type { MeshClient } from '@cloakroom/mesh';
import { relayAsks } from './revocation-feed.metrics.ts';

/** The budget of the rpc in its contract. A later answer would be worth nothing, because the lease is 2 s. */
const askBudgetMs = 1_000;
/** Two clocks that drift by 100 ppm are 3 ms apart after it. It costs a relay two cheap calls a minute for each process. */
export const askAgainMs = 30_000;
/** While something is wrong (no answer, a slow one, no lease): one call a second for each process. Auth serves ten times as many then anyway. */
export const askSoonMs = 1_000;
/** An answer that took longer costs a noticeable part of the lease: ask again soon for a better one. */
const promptMs = 250;
/** Two clocks that drift by 300 ppm are this far apart at the next question. The relay rounds against the lease, so rounding needs none of it. */
const driftMaxMs = 10;

export interface BeatClockAnswer {
  readonly boot: string;
  readonly beatMs: number;
}

export type AskRelay = () => Promise<BeatClockAnswer | Problem>;

/** For openLateFeed. */
export function askRelayThrough(auth: Pick<MeshClient<typeof AuthService>, 'readBeatClock'>): AskRelay {
  return async () => {
    const answer = await auth.readBeatClock({ budgetMs: askBudgetMs, trace: startTrace(randomBytes) }, {});
    return isProblem(answer) ? answer : { boot: answer.boot, beatMs: Number(answer.beatMs) };
  };
}

interface Answer {
  readonly boot: string;
  /** Local monotonic minus the relay's: a lower bound. */
  readonly offsetMs: number;
  readonly prompt: boolean;
  readonly wallAheadMs: number;
}

export class BeatClock {
  private readonly ask: AskRelay;
  private readonly clock: Clock;
  private readonly reader: string;
  private answer: Answer | undefined;
  private asked: { readonly boot: string; readonly atMs: number } | undefined;
  private asking = false;

  /** @param options.reader the label of its metric */
  constructor(options: { readonly ask: AskRelay; readonly clock: Clock; readonly reader: string }) {
    this.ask = options.ask;
    this.clock = options.clock;
    this.reader = options.reader;
  }

  /** The local monotonic moment that this beat is not older than. Undefined while its relay has to be asked first. */
  localMs(boot: string, beatMs: number): number | undefined {
    const known = this.answer;
    if (known?.boot !== boot || hasSlept(this.clock, known.wallAheadMs)) return undefined;
    const localMs = beatMs + known.offsetMs;
    if (localMs <= this.clock.monotonicMs() + driftMaxMs) return localMs;
    this.answer = undefined;
    return undefined;
  }

  /**
   * Call it at each heartbeat of the current relay. It asks in the background when a question is due.
   * @param well whether the heartbeats of this relay renew the lease
   * @returns resolves to whether there is a new answer; undefined where nothing was asked
   */
  keepUp(boot: string, well: boolean): Promise<boolean> | undefined {
    const nowMs = this.clock.monotonicMs();
    const sinceMs = this.asked?.boot === boot ? nowMs - this.asked.atMs : Number.POSITIVE_INFINITY;
    const dueMs = well && this.answer?.boot === boot && this.answer.prompt ? askAgainMs : askSoonMs;
    if (this.asking || sinceMs < dueMs) return undefined;
    this.asked = { boot, atMs: nowMs };
    this.asking = true;
    return this.askOnce(boot, nowMs).finally(() => (this.asking = false));
  }

  private async askOnce(boot: string, askedMs: number): Promise<boolean> {
    const ahead = wallAheadMs(this.clock);
    const told = await this.ask().catch((): Problem => ({ problem: 'internal' }) as Problem);
    if (isProblem(told)) relayAsks.inc({ reader: this.reader, outcome: 'no_answer' });
    // The answer came from another relay than the one that was heard: an earlier one, or a new one whose first heartbeat is on its way.
    else if (told.boot !== boot) relayAsks.inc({ reader: this.reader, outcome: 'another_relay' });
    else {
      relayAsks.inc({ reader: this.reader, outcome: 'answered' });
      const prompt = this.clock.monotonicMs() - askedMs < promptMs;
      this.answer = { boot, offsetMs: askedMs - told.beatMs, prompt, wallAheadMs: ahead };
      return true;
    }
    return false;
  }
}
