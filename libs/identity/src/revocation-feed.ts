/**
 * The revocations that this process has heard, and for how long it may trust its cache ("the lease").
 *
 * The distributed subtlety is all in `renewLease`: silence means distrust. The relay sends a heartbeat only after it found no older rows in the
 * outbox. So a heartbeat proves that this process has heard everything revoked before the relay looked, *if* this reader was at the end of the log.
 * The proof counts from the moment the relay looked. Two lower bounds of that moment are known, both on this process' monotonic clock:
 * - The start of the fetch that returned the heartbeat. So a lagging reader cannot renew.
 * - The relay's own beat, translated by the relay's last answer about its clock (beat-clock.ts). So neither a heartbeat held up in a paused broker's
 *   queue nor a steady delay can renew.
 *
 * The lease counts from the earlier bound. A wall clock can only end the lease: it reveals that this machine slept while its monotonic clock stood
 * still.
 *
 * A restarted relay gives no lease until this process has asked it for its clock. An earlier relay never renews again. Its signed heartbeats stay in
 * the log, and anyone with access to the broker could write them once more. They are older by auth's own clock (`at_ms`), which is compared only with
 * itself.
 */
import { fromBinary } from '@bufbuild/protobuf';
import type { Heartbeat, RevocationEvent, SessionRevoked, TopicSpec } from '@cloakroom/contracts';
import { RevocationEventSchema, revocationLeaseMs } from '@cloakroom/contracts';
import { type AskRelay, BeatClock } from './beat-clock.ts';
import { type Clock, hasSlept, type Logger, observing, wallAheadMs } from '@cloakroom/platform';
import type { BatchControl, EventLog, LogRecord, RecordBatch, Subscription } from '@cloakroom/event-log';
import { groupLabel, heldBack } from '@cloakroom/event-log';
import type { KeyRing, Revocation, RevocationFeed } from './identity.ts';
import { observeRevocation } from './observed-revocations.ts';
import { noteRevocationHeard, watchLease } from './revocation-feed.metrics.ts';

/** The longest life of anything self-contained that a revocation must reach (an access token: 5 min), and a margin. */
export const credentialLifetimeMs = 6 * 60_000;
/** Room for 100,000 people signed out at once. Beyond it the process distrusts everything once, rather than forget an entry silently. */
export const rememberedCountMax = 500_000;
/** How long a batch waits before it is read again while auth does not answer with its keys. Far below a group member's session time-out. */
const keysRetryMs = 500;

export type EventVerdict = 'valid' | 'forged' | 'keys_unavailable';

export interface RevocationFeedOptions {
  readonly eventLog: EventLog;
  /** Each region has its own. */
  readonly topic: TopicSpec;
  readonly keys: KeyRing;
  /** Checks the record's signature by auth's keys. */
  readonly verify: (record: LogRecord) => Promise<EventVerdict>;
  /** Asks auth for the clock of its relay. */
  readonly askRelay: AskRelay;
  readonly clock: Clock;
  readonly log: Logger;
  /** A fresh name each start: every process reads the whole feed alone, and no dead member's partition has to time out. */
  readonly group: string;
}

export async function openRevocationFeed(options: RevocationFeedOptions): Promise<RevocationFeed> {
  const feed = new Feed(options);
  await feed.open();
  return feed;
}

interface Remembered {
  /** The monotonic moment from which no credential that this concerns can be alive. */
  readonly forgetAtMs: number;
}

class Feed implements RevocationFeed {
  private readonly options: RevocationFeedOptions;
  private readonly tokens = new Map<string, Remembered>();
  private readonly sessions = new Map<string, Remembered & { readonly ended: boolean; readonly revokedAtMs: number }>();
  private readonly epochs = new Map<string, Remembered & { readonly epoch: number }>();
  private globalEpoch = 0;
  private leaseFromMs = Number.NEGATIVE_INFINITY;
  /** How far the wall clock was ahead of the monotonic one when the lease was renewed. */
  private leaseWallAheadMs = 0;
  private readonly beatClock: BeatClock;
  /** The current relay. */
  private boot = '';
  /** The moment of the newest heartbeat, by auth's clock. */
  private newestAtMs = Number.NEGATIVE_INFINITY;
  private readonly listeners = new Set<(what: Revocation) => void>();
  private subscription: Subscription | undefined;
  /** As a switch names this process: "gateway-1", "cart". */
  private readonly process: string;
  private unwatch: () => void = () => undefined;
  private readBackTo = 0n;
  private distrusts = 0;
  private stopped = false;
  private resolveReady!: () => void;
  readonly ready = new Promise<void>((resolve) => {
    this.resolveReady = resolve;
  });

  constructor(options: RevocationFeedOptions) {
    this.options = options;
    this.process = groupLabel(options.group).replace(/-feed$/, '');
    this.beatClock = new BeatClock({ ask: options.askRelay, clock: options.clock, reader: groupLabel(options.group) });
  }

  async open(): Promise<void> {
    const { eventLog, clock, group, topic } = this.options;
    this.unwatch = watchLease(group, this);
    this.readBackTo = (await eventLog.bounds(topic)).get(0)?.next ?? 0n;
    const start = (await eventLog.offsetsByTime(topic, clock.nowMs() - credentialLifetimeMs)).get(0) ?? 0n;
    if (start >= this.readBackTo) this.resolveReady();
    let next = start;
    this.subscription = await eventLog.subscribe({
      group,
      topics: [topic],
      from: 'earliest',
      handler: async (batch, control) => {
        if (!(await heldBack('revocation-feed', this.process, batch, control))) next = await this.take(batch, control);
      },
      // After a rebalance too, reading goes on where this process stands, not at the group's committed offset.
      onAssigned: (partitions, control) => {
        for (const { partition } of partitions) control.seek(topic.name, partition, next);
        return Promise.resolve();
      },
    });
  }

  leaseValid(): boolean {
    const { clock } = this.options;
    return clock.monotonicMs() - this.leaseFromMs < revocationLeaseMs && !hasSlept(clock, this.leaseWallAheadMs);
  }

  leaseAgeMs(): number {
    return this.options.clock.monotonicMs() - this.leaseFromMs;
  }

  isRevoked(identity: { subject: string; handle: string; epoch: number; globalEpoch: number; issuedAtMs: number }): boolean {
    if (identity.globalEpoch < this.globalEpoch) return true;
    const epoch = this.epochs.get(identity.subject);
    if (epoch !== undefined && identity.epoch < epoch.epoch) return true;
    const session = this.sessions.get(identity.handle);
    return session !== undefined && (session.ended || identity.issuedAtMs < session.revokedAtMs);
  }

  isTokenRevoked(tokenHash: string): boolean {
    return this.tokens.has(tokenHash);
  }

  onRevocation(listener: (what: Revocation) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.leaseFromMs = Number.NEGATIVE_INFINITY;
    this.unwatch();
    await this.subscription?.stop();
  }

  /** @returns the offset of the next record to read */
  private async take(batch: RecordBatch, control: BatchControl): Promise<bigint> {
    const arrivedMs = this.options.clock.monotonicMs();
    let heartbeat: { readonly atMs: number; readonly value: Heartbeat } | undefined;
    let sound = true;
    const ended: string[] = [];
    for (const record of batch.records) {
      const verdict = await this.options.verify(record);
      if (verdict === 'keys_unavailable') {
        // The record is neither trusted nor dropped: the feed reads it again when auth answers with its keys.
        await new Promise((resolve) => setTimeout(resolve, keysRetryMs));
        control.seek(batch.topic, batch.partition, record.offset);
        return record.offset;
      }
      const event = verdict === 'valid' ? decode(record) : undefined;
      if (event === undefined) {
        sound = false;
        this.distrust(record);
      } else if (event.event.case === 'heartbeat') {
        heartbeat = { atMs: Number(event.atMs), value: event.event.value };
        this.raiseGlobalEpoch(Number(heartbeat.value.globalEpoch));
      } else {
        this.apply(event);
        if (observing()) observeRevocation(event, record, ended);
        // Revocations read back at the start were already heard by the processes that ran then.
        if (record.offset >= this.readBackTo) noteRevocationHeard(this.options.group, Number(event.atMs), this.options.clock.nowMs());
      }
    }
    const next = batch.records.at(-1)!.offset + 1n;
    if (heartbeat !== undefined && sound && next >= batch.highWatermark && this.isCurrent(heartbeat.atMs, heartbeat.value.boot))
      this.hearBeat(heartbeat.value, batch.fetchStartedMs);
    this.forget(arrivedMs);
    if (next >= this.readBackTo) this.resolveReady();
    return next;
  }

  /** Whether this relay is the current one. */
  private isCurrent(atMs: number, boot: string): boolean {
    if (boot !== this.boot && atMs <= this.newestAtMs) return false;
    this.boot = boot;
    this.newestAtMs = Math.max(this.newestAtMs, atMs);
    return true;
  }

  private hearBeat(heartbeat: Heartbeat, fetchStartedMs: number): void {
    this.renewLease(heartbeat, fetchStartedMs);
    const distrusts = this.distrusts;
    const asked = this.beatClock.keepUp(heartbeat.boot, this.leaseValid());
    // The same heartbeat counts again, unless something was distrusted since. So a relay's first answer takes effect before its next heartbeat.
    void asked?.then((answered) => {
      if (answered && heartbeat.boot === this.boot && distrusts === this.distrusts) this.renewLease(heartbeat, fetchStartedMs);
    });
  }

  private renewLease(heartbeat: Heartbeat, fetchStartedMs: number): void {
    const beatMs = this.beatClock.localMs(heartbeat.boot, Number(heartbeat.beatMs));
    if (beatMs === undefined || this.stopped) return;
    const fromMs = Math.min(fetchStartedMs, beatMs);
    if (fromMs <= this.leaseFromMs) return;
    this.leaseFromMs = fromMs;
    this.leaseWallAheadMs = wallAheadMs(this.options.clock);
  }

  private apply(event: RevocationEvent): void {
    const forgetAtMs = this.options.clock.monotonicMs() + credentialLifetimeMs;
    switch (event.event.case) {
      case 'sessionRevoked':
        return this.applySession(event.event.value, forgetAtMs);
      case 'userEpochRaised': {
        const { subject, epoch } = event.event.value;
        const raised = Math.max(Number(epoch), this.epochs.get(subject)?.epoch ?? 0);
        remember(this.epochs, subject, { epoch: raised, forgetAtMs });
        return this.announce({ kind: 'user', subject, epoch: raised });
      }
      case 'globalEpochRaised':
        return this.raiseGlobalEpoch(Number(event.event.value.epoch));
      case 'keyRetired':
        this.options.keys.retire(event.event.value.kid);
        return this.announce({ kind: 'key', kid: event.event.value.kid });
      default:
        // This version does not know the kind: something was revoked, and the process cannot tell what.
        return this.announceDistrust('a kind of event that this version does not know');
    }
  }

  private applySession({ tokenHash, handle, subject, ended, revokedAtMs }: SessionRevoked, forgetAtMs: number): void {
    if (tokenHash !== '') remember(this.tokens, tokenHash, { forgetAtMs });
    const before = this.sessions.get(handle);
    remember(this.sessions, handle, {
      ended: ended || before?.ended === true,
      revokedAtMs: Math.max(Number(revokedAtMs), before?.revokedAtMs ?? 0),
      forgetAtMs,
    });
    this.announce({ kind: 'token', tokenHash, handle, subject, ended });
  }

  private raiseGlobalEpoch(epoch: number): void {
    if (epoch <= this.globalEpoch) return;
    this.globalEpoch = epoch;
    this.announce({ kind: 'global', epoch });
  }

  private distrust(record: LogRecord): void {
    this.options.log.error(
      { offset: String(record.offset) },
      `an unsigned or undecodable record on ${record.topic}: everything cached is distrusted`,
    );
    this.announceDistrust('a record that auth did not sign');
  }

  private announceDistrust(reason: string): void {
    this.distrusts += 1;
    this.leaseFromMs = Number.NEGATIVE_INFINITY;
    this.options.log.warn({ reason }, 'cached identity is distrusted');
    this.announce({ kind: 'distrust' });
  }

  private announce(what: Revocation): void {
    for (const listener of this.listeners) listener(what);
  }

  /** Maps keep insertion order and every entry lives equally long, so the oldest stand first. */
  private forget(nowMs: number): void {
    for (const remembered of [this.tokens, this.sessions, this.epochs] as Map<string, Remembered>[]) {
      for (const [name, { forgetAtMs }] of remembered) {
        if (forgetAtMs > nowMs) break;
        remembered.delete(name);
      }
      if (remembered.size <= rememberedCountMax) continue;
      remembered.clear();
      this.announceDistrust('more revocations than this process can remember');
    }
  }
}

/** Inserts at the end, also when the entry was there before: `forget` relies on the order. */
function remember<Value>(map: Map<string, Value>, name: string, value: Value): void {
  map.delete(name);
  map.set(name, value);
}

function decode(record: LogRecord): RevocationEvent | undefined {
  try {
    return record.value === null ? undefined : fromBinary(RevocationEventSchema, record.value);
  } catch {
    return undefined;
  }
}
