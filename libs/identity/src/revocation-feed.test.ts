import { create, toBinary } from '@bufbuild/protobuf';
import { problem, RevocationEventSchema, type RevocationEvent, topics } from '@cloakroom/contracts';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { EventLog, LogRecord, RecordBatch, SubscribeOptions } from '@cloakroom/event-log';
import type { KeyRing, Revocation } from './identity.ts';
import { createLogger } from '@cloakroom/platform';
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
  /** Added to the wall clock alone, as by a sleep of the machine. */
  let sleptMs: number;
  /** Each relay's monotonic clock is `nowMs` less this. Only these relays can be asked. */
  let relays: Map<string, number>;
  let asks: number;
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
      topic: topics.sessionRevocations,
      keys: { retire } as unknown as KeyRing,
      verify: () => Promise.resolve(verdict),
      askRelay: () => {
        asks += 1;
        const speaking = [...relays].at(-1);
        return Promise.resolve(speaking === undefined ? problem('unavailable') : { boot: speaking[0], beatMs: nowMs - speaking[1] });
      },
      clock: { nowMs: () => 1_790_000_000_000 + nowMs + sleptMs, monotonicMs: () => nowMs },
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
    // The relay's answer, which takes no time here.
    await new Promise(setImmediate);
  }

  /** The relay beats now. */
  const beat = (boot = 'boot-1') => heartbeat(nowMs - relays.get(boot)!, boot);

  beforeEach(() => {
    nowMs = 10_000;
    sleptMs = 0;
    relays = new Map([['boot-1', 10_000]]);
    asks = 0;
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

  it('gives no lease by a relay that was replaced until the new one was asked, and flushes nothing for it', async () => {
    const feed = await open();
    await arrive([beat()]);
    nowMs += 5_000;
    // The new relay beats, and cannot be asked yet.
    relays.clear();
    await arrive([heartbeat(0, 'boot-2')]);
    expect(feed.leaseValid()).toBe(false);
    nowMs += 1_000;
    relays.set('boot-2', nowMs - 1_000);
    await arrive([heartbeat(1_000, 'boot-2')]);
    expect(feed.leaseValid()).toBe(true);
    expect(heard).toEqual([]);
  });

  it('gives no lease by an answer of another relay than the one that was heard', async () => {
    const feed = await open();
    relays.set('boot-2', 0);
    await arrive([heartbeat(0)]);
    expect(feed.leaseValid()).toBe(false);
    // Within the same second the relay is not asked again for each heartbeat.
    await arrive([heartbeat(1)]);
    expect(asks).toBe(1);
  });

  it('is not renewed by the first heartbeats of a new relay that a paused broker held up', async () => {
    const feed = await open();
    await arrive([beat()]);
    relays.set('boot-2', nowMs);
    nowMs += 10_000;
    await arrive([heartbeat(0, 'boot-2'), heartbeat(500, 'boot-2')], { atMs: nowMs });
    expect(feed.leaseValid()).toBe(false);
    await arrive([beat('boot-2')]);
    expect(feed.leaseValid()).toBe(true);
  });

  it.each([1_000, 3_000, 10_000])(
    'serves nothing later than the lease allows under a steady delay of %i ms, restarts included',
    async (delayMs) => {
      const feed = await open();
      const stepMs = 100;
      const under = { valid: 0, steps: 0 };
      let beats: { readonly atMs: number; readonly body: Body }[] = [];
      for (let elapsedMs = 0; elapsedMs < 60_000; elapsedMs += stepMs, nowMs += stepMs) {
        // Every 20 s the relay restarts, while its records are still held up.
        const boot = `boot-${1 + Math.floor(elapsedMs / 20_000)}`;
        if (!relays.has(boot)) relays.set(boot, nowMs);
        if (elapsedMs % 500 === 0) beats.push({ atMs: nowMs, body: beat(boot) });
        const due = beats.filter(({ atMs }) => atMs + delayMs <= nowMs);
        beats = beats.slice(due.length);
        for (const { atMs, body } of due) await arrive([body], { atMs });
        under.steps += 1;
        if (!feed.leaseValid()) continue;
        under.valid += 1;
        // Every revocation before this moment has been heard: the newest heartbeat that has arrived was sent at most a lease ago.
        expect(feed.leaseAgeMs()).toBeGreaterThanOrEqual(delayMs);
        expect(delayMs).toBeLessThan(2_000);
      }
      // The feed does not simply refuse: with a delay below the lease it has a lease most of the time.
      if (delayMs < 2_000) expect(under.valid / under.steps).toBeGreaterThan(0.75);
      else expect(under.valid).toBe(0);
      expect(asks).toBeLessThanOrEqual(62);
    },
  );

  it('heals when the clock of the relay stood still seven times for 300 ms', async () => {
    const feed = await open();
    await arrive([beat()]);
    for (let stop = 0; stop < 7; stop++) {
      nowMs += 500;
      relays.set('boot-1', relays.get('boot-1')! + 300);
      await arrive([beat()]);
      expect(feed.leaseValid(), `after stop ${stop + 1}`).toBe(true);
    }
    for (let beats = 0; beats < 4; beats++) {
      nowMs += 500;
      await arrive([beat()]);
    }
    expect(feed.leaseAgeMs()).toBe(0);
  });

  it('heals within two seconds when the clock of the relay jumped back by more than a lease', async () => {
    const feed = await open();
    await arrive([beat()]);
    relays.set('boot-1', relays.get('boot-1')! + 60_000);
    for (let beats = 0; beats < 4; beats++) {
      nowMs += 500;
      await arrive([beat()]);
    }
    expect(feed.leaseValid()).toBe(true);
  });

  it('distrusts what it cached before the machine slept, and heartbeats by what the relay said before', async () => {
    const feed = await open();
    await arrive([beat()]);
    expect(feed.leaseValid()).toBe(true);
    // For eight hours the monotonic clock stood still here, and ran on at the relay.
    const beforeMs = relays.get('boot-1')!;
    sleptMs += 8 * 3_600_000;
    relays.set('boot-1', beforeMs - 8 * 3_600_000);
    expect(feed.leaseValid()).toBe(false);
    // Sent an hour ago.
    await arrive([heartbeat(nowMs - relays.get('boot-1')! - 3_600_000)], { atMs: nowMs + 1 });
    expect(feed.leaseValid()).toBe(false);
    nowMs += 1_000;
    await arrive([beat()]);
    expect(feed.leaseValid()).toBe(true);
  });

  it.each(['its hypervisor paused this process', 'the clock of the relay jumped ahead'])(
    'is not renewed by what a broker held up after %s for 5 s: the first prompt heartbeat proves the old answer wrong',
    async () => {
      const feed = await open();
      await arrive([beat()]);
      nowMs += 500;
      // Either way the relay's clock is 5 s further now, and neither clock here reveals it.
      relays.set('boot-1', relays.get('boot-1')! - 5_000);
      await arrive([beat()]);
      expect(asks).toBe(1);
      nowMs += 500;
      await arrive([beat()]);
      expect(asks).toBe(2);
      expect(feed.leaseAgeMs()).toBe(0);
      const held = beat();
      nowMs += 4_000;
      await arrive([held]);
      expect(feed.leaseValid()).toBe(false);
    },
  );

  it('asks the relay twice a minute while all is well, and keeps its last answer while it cannot be asked', async () => {
    const feed = await open();
    await arrive([beat()]);
    for (let beats = 0; beats < 119; beats++) {
      nowMs += 500;
      await arrive([beat()]);
    }
    expect(asks).toBe(2);
    const body = (): Body => heartbeat(nowMs - 10_000);
    relays.clear();
    for (let beats = 0; beats < 240; beats++) {
      nowMs += 500;
      await arrive([body()]);
      expect(feed.leaseValid()).toBe(true);
    }
    expect(asks).toBeLessThanOrEqual(2 + 120);
  });

  it('is not renewed by the heartbeats of an earlier relay, read again or written again by whoever reaches the broker', async () => {
    relays = new Map([['boot-1', nowMs - 900_000]]);
    const feed = await open();
    await arrive([heartbeat(900_000)]);
    const oldMs = nowMs;
    nowMs += 5_000;
    relays.set('boot-2', nowMs);
    await arrive([heartbeat(0, 'boot-2')]);
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
    nowMs += 30;
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
