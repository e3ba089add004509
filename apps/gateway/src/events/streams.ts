/** How many live streams there may be, and the way to end them all at once. */
import { problem, type Problem } from '@cloakroom/contracts';
import { liveStreams } from '../metrics.ts';

/** A browser opens one a tab, and over HTTP/1.1 no more than six connections in all. */
export const streamsPerSessionMax = 6;
const retryAfterS = 5;

/** Of one stream: taken from its session's and from the gateway's number until it leaves. */
export interface Seat {
  /** Called when the gateway stops. */
  onClosing(close: () => void): void;
  leave(): void;
}

export class Streams {
  private readonly bySession = new Map<string, number>();
  private readonly closers = new Set<() => void>();
  private count = 0;
  private readonly countMax: number;
  private readonly replica: string;

  constructor(countMax: number, replica: string) {
    this.countMax = countMax;
    this.replica = replica;
  }

  enter(handle: string): Seat | Problem {
    const ofSession = this.bySession.get(handle) ?? 0;
    if (ofSession >= streamsPerSessionMax) return problem('too_many_requests', 'Too many live streams of this session.', retryAfterS);
    if (this.count >= this.countMax) return problem('too_many_requests', 'Too many live streams.', retryAfterS);
    this.add(handle, 1);
    let closer: (() => void) | undefined;
    let left = false;
    return {
      onClosing: (close) => {
        closer = close;
        this.closers.add(close);
      },
      leave: () => {
        if (left) return;
        left = true;
        if (closer !== undefined) this.closers.delete(closer);
        this.add(handle, -1);
      },
    };
  }

  get open(): number {
    return this.count;
  }

  closeAll(): void {
    // Each takes itself out of the set.
    for (const close of Array.from(this.closers)) close();
  }

  private add(handle: string, change: 1 | -1): void {
    this.count += change;
    const ofSession = (this.bySession.get(handle) ?? 0) + change;
    if (ofSession === 0) this.bySession.delete(handle);
    else this.bySession.set(handle, ofSession);
    liveStreams.set({ replica: this.replica }, this.count);
  }
}
