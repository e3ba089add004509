import { Fragment } from 'react';
import type { LeasesView, LeaseView } from '../../../src/api.ts';
import { useReading } from '../api/use-reading.ts';
import { wholeMs } from '../words/numbers.ts';
import { Term } from '../words/term.tsx';

/** Twice between two heartbeats of auth. */
const rereadMs = 250;

/**
 * Each process' lease on what it has cached, as it runs down and is renewed.
 * @param home with two regions: where the session lives. Only leases on sessions of that region let a process believe it
 */
export function Leases({ home }: { readonly home?: string | undefined }) {
  const { value } = useReading<LeasesView>('/api/places/leases', rereadMs);
  if (value === undefined || value.leases.length === 0) return null;
  const { ofMs } = value;
  const byRegion = Map.groupBy(
    value.leases.filter((lease) => home === undefined || lease.home === home),
    ({ region }) => region,
  );
  return (
    <section aria-labelledby="leases" className="card leases-now">
      <h2 id="leases">Who may believe a copy now</h2>
      <p>
        auth’s heartbeat says that every ended session has been told, and renews each process’ <Term word="lease">lease</Term> of{' '}
        {ofMs / 1_000} s. Pause auth on the Map, where it is a process of its own, and see them run out.
      </p>
      {home !== undefined && (
        <p>
          The session lives in {home}, so each process needs the word of {home}’s auth, here and across the ocean.
        </p>
      )}
      {[...byRegion].map(([region, leases]) => (
        <Fragment key={region ?? ''}>
          {region !== undefined && <h3>In {region}</h3>}
          <ul className="leases" aria-label={region === undefined ? undefined : `Leases in ${region}`}>
            {leases.map((lease) => (
              <Lease
                key={`${lease.place} ${lease.home}`}
                name={home !== undefined || lease.home === region ? lease.place : `${lease.place}, on sessions of ${lease.home}`}
                ageMs={lease.ageMs}
                ofMs={ofMs}
              />
            ))}
          </ul>
        </Fragment>
      ))}
    </section>
  );
}

function Lease({ name, ageMs, ofMs }: Pick<LeaseView, 'ageMs'> & { readonly name: string; readonly ofMs: number }) {
  const leftMs = Math.max(0, ofMs - ageMs);
  return (
    <li>
      <span>{name}</span>
      <meter min={0} max={ofMs} value={leftMs} aria-label={`What is left of the lease of ${name}`} />
      <span className={leftMs === 0 ? 'over' : undefined}>{leftMs === 0 ? 'over: it asks auth' : `${wholeMs(leftMs)} left`}</span>
    </li>
  );
}
