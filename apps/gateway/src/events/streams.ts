/** Bounds the number of live streams, and ends them all at once. */
import { problem, type Problem } from '@cloakroom/contracts';
import { networkOf } from '@cloakroom/platform';
import { liveStreams } from '../metrics.ts';

/** A browser opens one stream for each tab, and over HTTP/1.1 no more than six connections in all. */
export const streamsPerSessionMax = 6;
const retryAfterS = 5;

/** The seat of one stream. It counts against its session and against the gateway until the stream leaves. */
export interface Seat {
  /** Called when the gateway stops. */
  onClosing(close: () => void): void;
  leave(): void;
}

/** The bounds of this gateway, and of one address (an IPv6 network counts as one: networkOf). */
export interface StreamBounds {
  readonly inAll: number;
  readonly ofAddress: number;
}

export class Streams {
  private readonly bySession = new Map<string, number>();
  private readonly byNetwork = new Map<string, number>();
  private readonly closers = new Set<() => void>();
  private count = 0;
  private readonly bounds: StreamBounds;
  private readonly replica: string;

  constructor(bounds: StreamBounds, replica: string) {
    this.bounds = bounds;
    this.replica = replica;
  }

  enter(handle: string, address: string): Seat | Problem {
    const network = networkOf(address);
    if ((this.bySession.get(handle) ?? 0) >= streamsPerSessionMax) return refused('Too many live streams of this session.');
    // Anybody may begin guest sessions. Without this bound one address would take every seat.
    if ((this.byNetwork.get(network) ?? 0) >= this.bounds.ofAddress) return refused('Too many live streams of this address.');
    if (this.count >= this.bounds.inAll) return refused('Too many live streams.');
    this.add(handle, network, 1);
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
        this.add(handle, network, -1);
      },
    };
  }

  get open(): number {
    return this.count;
  }

  closeAll(): void {
    // A copy, because each `close` takes itself out of the set.
    for (const close of Array.from(this.closers)) close();
  }

  private add(handle: string, network: string, change: 1 | -1): void {
    this.count += change;
    addTo(this.bySession, handle, change);
    addTo(this.byNetwork, network, change);
    liveStreams.set({ replica: this.replica }, this.count);
  }
}

const refused = (detail: string): Problem => problem('too_many_requests', detail, retryAfterS);

function addTo(counts: Map<string, number>, name: string, change: 1 | -1): void {
  const count = (counts.get(name) ?? 0) + change;
  if (count > 0) counts.set(name, count);
  else counts.delete(name);
}
