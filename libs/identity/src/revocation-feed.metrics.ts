/** How far this process lags behind the newest revocations. In embedded mode several readers share the process; `reader` tells them apart. */
import { Counter, Gauge, Histogram } from 'prom-client';
import { metrics } from '@cloakroom/platform';
import { groupLabel } from '@cloakroom/event-log';

const registers = [metrics];
const labelNames = ['reader'] as const;

interface Lease {
  leaseAgeMs(): number;
}

const leases = new Map<string, Lease>();

export const leaseAgeSeconds = new Gauge({
  name: 'revocation_lease_age_seconds',
  help: 'Time since the lease on cached identity was last renewed; at 2 it is over. Absent before the first renewal.',
  labelNames,
  registers,
  collect() {
    this.reset();
    for (const [reader, lease] of leases) {
      const ageMs = lease.leaseAgeMs();
      if (Number.isFinite(ageMs)) this.set({ reader }, ageMs / 1000);
    }
  },
});

export const revocationLagSeconds = new Histogram({
  name: 'revocation_lag_seconds',
  help: "From the commit of a revocation in auth (by auth's clock) until it was heard here (by the clock here).",
  labelNames,
  registers,
  // From the relay's next publish to beyond the lease.
  buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5],
});

export const relayAsks = new Counter({
  name: 'revocation_relay_asks_total',
  help: "Questions for the clock of auth's relay, by outcome: answered, another_relay (not the one that was heard), no_answer.",
  labelNames: ['reader', 'outcome'] as const,
  registers,
});

/** @returns stops watching */
export function watchLease(group: string, lease: Lease): () => void {
  const reader = groupLabel(group);
  leases.set(reader, lease);
  return () => {
    if (leases.get(reader) === lease) leases.delete(reader);
  };
}

/** Compares two wall clocks: for operators, never for a decision. A negative difference counts as none. */
export function noteRevocationHeard(group: string, committedAtMs: number, heardAtMs: number): void {
  revocationLagSeconds.observe({ reader: groupLabel(group) }, Math.max(0, heardAtMs - committedAtMs) / 1000);
}
