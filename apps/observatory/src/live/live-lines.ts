/**
 * The live stream of a page: one JSON object a line. A page cannot send its key with EventSource, so it reads this with fetch.
 *
 * A page that does not read is dropped: what waits for it would grow without end.
 */
import type { ServerResponse } from 'node:http';
import type { Clock } from '@cloakroom/platform/process-life';
import type { LiveLine } from '../api.ts';
import { sessionsIn } from '../spans/session-steps.ts';
import { edgeWindowMs, edgesOf } from '../spans/edges.ts';
import type { RequestRules } from '../edge/request-rules.ts';
import type { RecentRequests } from '../spans/recent-requests.ts';
import type { SpanStore } from '../spans/span-store.ts';
import type { StackWatch } from '../stack/stack-watch.ts';
import type { SupervisorLink } from '../stack/supervisor-link.ts';
import { nameOnMap } from '../stack/name-on-map.ts';

/** Memory and rates change all the time; a map needs them no more often. */
const stackIntervalMs = 1_000;
/** So many pages of one person. Each costs a stack a second. */
const streamCountMax = 16;
/** A stack is 5 kB. A page that is this far behind does not read. */
const unreadBytesMax = 2 * 1024 * 1024;

export class LiveLines {
  readonly #streams = new Set<ServerResponse>();
  readonly #ends: (() => void)[];
  #timer: NodeJS.Timeout | undefined;
  #endRequests = (): void => undefined;

  constructor(
    private readonly watch: StackWatch,
    private readonly link: SupervisorLink,
    private readonly store: SpanStore,
    private readonly requests: RecentRequests,
    private readonly rules: Pick<RequestRules, 'refusedExports'>,
    private readonly clock: Clock,
  ) {
    this.#ends = [
      link.onStack(() => {
        watch.forget();
        if (this.#streams.size > 0) void this.#tellStack();
      }),
      store.onSpans((spans) => {
        if (this.#streams.size === 0) return;
        const sessions = new Set(spans.flatMap(sessionsIn));
        for (const session of sessions) this.#tell({ kind: 'session', session });
      }),
    ];
  }

  get full(): boolean {
    return this.#streams.size >= streamCountMax;
  }

  /** Takes over an answer whose headers are sent. */
  open(stream: ServerResponse): void {
    if (this.#streams.size === 0) this.#endRequests = this.requests.onRequest((request) => this.#tell({ kind: 'request', request }));
    this.#streams.add(stream);
    stream.once('close', () => this.#drop(stream));
    stream.on('error', () => this.#drop(stream));
    this.#timer ??= setInterval(() => void this.#tellStack(), stackIntervalMs);
    void this.#tellStack();
  }

  stop(): void {
    for (const end of this.#ends) end();
    for (const stream of this.#streams) this.#drop(stream);
  }

  /** The stack each second is the beat too: a page that hears nothing for some seconds knows that the stream is dead. */
  async #tellStack(): Promise<void> {
    const stack = await this.watch.look();
    const nowMs = this.clock.nowMs();
    // A span may come a second after its end, so its trace is as new as that.
    const kept = { ...this.store.kept, refusedExports: this.rules.refusedExports };
    const spans = this.store.recent(nowMs - edgeWindowMs - 2_000);
    this.#tell({ kind: 'stack', stack, edges: edgesOf(spans, nowMs, nameOnMap(this.link.stack)), kept });
  }

  #tell(line: LiveLine): void {
    const text = `${JSON.stringify(line)}\n`;
    for (const stream of this.#streams) {
      if (stream.writableLength > unreadBytesMax) this.#drop(stream);
      else stream.write(text);
    }
  }

  #drop(stream: ServerResponse): void {
    this.#streams.delete(stream);
    stream.destroy();
    if (this.#streams.size > 0) return;
    this.#endRequests();
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
