import { create, toBinary } from '@bufbuild/protobuf';
import { RevocationEventSchema, type RevocationEvent } from '@cloakroom/contracts';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { EventLog, LogRecord, RecordBatch, SubscribeOptions } from './event-log.ts';
import type { KeyRing, Revocation } from './identity.ts';
import { createLogger } from './log.ts';
import { openRevocationFeed, type EventVerdict } from './revocation-feed.ts';

type Body = RevocationEvent['event'];
const alice = { subject: 'u_alice', handle: 'h1', epoch: 5, globalEpoch: 0, issuedAtMs: 1_000 };
const topic = 'session.revocations';

function heartbeat(beatMs: number, boot = 'boot-1', globalEpoch = 0): Body {
  return { case: 'heartbeat', value: { beatMs: BigInt(beatMs), boot, globalEpoch: BigInt(globalEpoch) } } as Body;
}
function revoked(ended: boolean, revokedAtMs = 2_000): Body {
  return {
    case: 'sessionRevoked',
    value: { tokenHash: 'hash-1', handle: 'h1', subject: 'u_alice', ended, revokedAtMs: BigInt(revokedAtMs), forgetAfterMs: 0n },
  } as Body;
}

describe('the revocation feed', () => {
  let nowMs: number;
  let verdict: EventVerdict;
  let nextOffset: bigint;
  let options: SubscribeOptions;
  let heard: Revocation[];
  const seek = vi.fn<(topic: string, partition: number, offset: bigint) => void>();
  const retire = vi.fn<(kid: string) => void>();

  async function open() {
    const eventLog = {
      bounds: () => Promise.resolve(new Map([[0, { first: 0n, next: 0n }]])),
      offsetsByTime: () => Promise.resolve(new Map([[0, 0n]])),
      subscribe: (given: SubscribeOptions) => {
        options = given;
        return Promise.resolve({ stop: () => Promise.resolve() });
      },
    } as unknown as EventLog;
    const feed = await openRevocationFeed({
      eventLog,
      keys: { retire } as unknown as KeyRing,
      verify: () => Promise.resolve(verdict),
      clock: { nowMs: () => 1_790_000_000_000 + nowMs, monotonicMs: () => nowMs },
      log: createLogger('test', 'silent'),
      group: 'feed-test',
    });
    feed.onRevocation((what) => heard.push(what));
    return feed;
  }

  /** Hands over one batch that was fetched at `fetchStartedMs` and arrives now. */
  async function arrive(bodies: Body[], at: { fetchStartedMs?: number; behind?: bigint; raw?: Buffer; atMs?: number } = {}) {
    const records = bodies.map((event): LogRecord => {
      const message = create(RevocationEventSchema, { atMs: BigInt(at.atMs ?? nowMs), event: event as never });
      const value = at.raw ?? Buffer.from(toBinary(RevocationEventSchema, message));
      return { topic, partition: 0, offset: nextOffset++, key: '', value, headers: {}, timestampMs: 0 };
    });
    const batch: RecordBatch = {
      topic,
      partition: 0,
      records,
      highWatermark: nextOffset + (at.behind ?? 0n),
      fetchStartedMs: at.fetchStartedMs ?? nowMs,
    };
    await options.handler(batch, { seek });
  }

  beforeEach(() => {
    nowMs = 10_000;
    verdict = 'valid';
    nextOffset = 0n;
    heard = [];
    vi.clearAllMocks();
  });

  it('trusts nothing before the first heartbeat and nothing after 2 s of silence', async () => {
    const feed = await open();
    expect(feed.leaseValid()).toBe(false);
    await arrive([heartbeat(0)]);
    expect(feed.leaseValid()).toBe(true);
    nowMs += 1_999;
    expect(feed.leaseValid()).toBe(true);
    nowMs += 1;
    expect(feed.leaseValid()).toBe(false);
  });

  it('is not renewed by a reader that lags: short of the high watermark, or by an old fetch', async () => {
    const feed = await open();
    await arrive([heartbeat(0)], { behind: 1n });
    expect(feed.leaseValid()).toBe(false);
    await arrive([heartbeat(500)], { fetchStartedMs: nowMs - 5_000 });
    expect(feed.leaseValid()).toBe(false);
  });

  it('is not renewed by a heartbeat that a paused broker held up', async () => {
    const feed = await open();
    await arrive([heartbeat(0)]);
    nowMs += 500;
    await arrive([heartbeat(500)]);
    nowMs += 10_000;
    await arrive([heartbeat(1_000)]);
    expect(feed.leaseValid()).toBe(false);
    await arrive([heartbeat(10_500)]);
    expect(feed.leaseValid()).toBe(true);
  });

  it('goes on when the relay starts anew and its beats begin at 0', async () => {
    const feed = await open();
    await arrive([heartbeat(900_000)]);
    nowMs += 5_000;
    await arrive([heartbeat(0, 'boot-2')]);
    expect(feed.leaseValid()).toBe(true);
  });

  it('flushes when a relay starts anew: how prompt its first heartbeat is cannot be told', async () => {
    const feed = await open();
    await arrive([heartbeat(900_000)]);
    expect(heard).toEqual([]);
    nowMs += 10_000;
    // Sent 10 s ago into a paused broker: what was cached before may be revoked and not yet announced.
    await arrive([heartbeat(0, 'boot-2')], { atMs: nowMs - 9_000 });
    expect(heard).toEqual([{ kind: 'distrust' }]);
    expect(feed.leaseValid()).toBe(true);
  });

  it('is not renewed by the heartbeats of an earlier relay, read again or written again by whoever reaches the broker', async () => {
    const feed = await open();
    await arrive([heartbeat(900_000)]);
    const oldMs = nowMs;
    nowMs += 5_000;
    await arrive([heartbeat(0, 'boot-2')]);
    heard = [];
    nowMs += 5_000;
    await arrive([heartbeat(900_000)], { atMs: oldMs });
    await arrive([heartbeat(900_500)], { atMs: oldMs + 500 });
    expect(feed.leaseValid()).toBe(false);
    await arrive([heartbeat(5_000, 'boot-2')]);
    expect(feed.leaseValid()).toBe(true);
    expect(heard).toEqual([]);
  });

  it('forgets what no credential can depend on any more, also while no heartbeat comes', async () => {
    const feed = await open();
    await arrive([revoked(true)]);
    nowMs += 6 * 60_000;
    await arrive([{ case: 'keyRetired', value: { kid: 'k1' } } as Body]);
    expect(feed.isTokenRevoked('hash-1')).toBe(false);
  });

  it('refuses an ended session for ever, and a rotated one for passports from before', async () => {
    const feed = await open();
    await arrive([revoked(false)]);
    expect(feed.isRevoked(alice)).toBe(true);
    expect(feed.isRevoked({ ...alice, issuedAtMs: 2_000 })).toBe(false);
    expect(feed.isTokenRevoked('hash-1')).toBe(true);
    await arrive([revoked(true), revoked(false, 1)]);
    expect(feed.isRevoked({ ...alice, issuedAtMs: 9_999 })).toBe(true);
  });

  it('refuses every session below a raised epoch, of one user or of all', async () => {
    const feed = await open();
    await arrive([
      { case: 'userEpochRaised', value: { subject: 'u_alice', epoch: 6n } } as Body,
      { case: 'userEpochRaised', value: { subject: 'u_alice', epoch: 2n } } as Body,
    ]);
    expect(feed.isRevoked(alice)).toBe(true);
    expect(feed.isRevoked({ ...alice, epoch: 6 })).toBe(false);
    await arrive([heartbeat(0, 'boot-1', 9)]);
    expect(feed.isRevoked({ ...alice, epoch: 6 })).toBe(true);
  });

  it('flushes and distrusts at an unsigned or undecodable record, until a sound heartbeat', async () => {
    const feed = await open();
    await arrive([heartbeat(0)]);
    verdict = 'forged';
    await arrive([heartbeat(10)]);
    expect(feed.leaseValid()).toBe(false);
    expect(heard).toEqual([{ kind: 'distrust' }]);
    verdict = 'valid';
    await arrive([heartbeat(20)], { raw: Buffer.from([0xff, 0xff, 0xff]) });
    expect(feed.leaseValid()).toBe(false);
    expect(heard).toHaveLength(2);
    await arrive([heartbeat(30)]);
    expect(feed.leaseValid()).toBe(true);
  });

  it('reads a record again when auth cannot be asked for its keys', async () => {
    const feed = await open();
    verdict = 'keys_unavailable';
    await arrive([revoked(true)]);
    expect(seek).toHaveBeenCalledWith(topic, 0, 0n);
    expect(feed.isRevoked(alice)).toBe(false);
    expect(heard).toEqual([]);
  });

  it('retires a leaked key at once', async () => {
    await open();
    await arrive([{ case: 'keyRetired', value: { kid: 'k1' } } as Body]);
    expect(retire).toHaveBeenCalledWith('k1');
    expect(heard).toEqual([{ kind: 'key', kid: 'k1' }]);
  });
});
