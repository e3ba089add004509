import type { LeasesView } from '../../../src/api.ts';
import { useReading } from '../api/use-reading.ts';
import { wholeMs } from '../words/numbers.ts';
import { Term } from '../words/term.tsx';

/** Twice between two heartbeats of auth. */
const rereadMs = 250;

/** Each process' lease on what it has cached, as it runs down and is renewed. */
export function Leases() {
  const { value } = useReading<LeasesView>('/api/places/leases', rereadMs);
  if (value === undefined || value.leases.length === 0) return null;
  const { leases, ofMs } = value;
  return (
    <section aria-labelledby="leases" className="card leases-now">
      <h2 id="leases">Who may believe a copy now</h2>
      <p>
        auth’s heartbeat says that every ended session has been told, and renews each process’ <Term word="lease">lease</Term> of{' '}
        {ofMs / 1_000} s. Pause auth on the Map, where it is a process of its own, and see them run out.
      </p>
      <ul className="leases">
        {leases.map(({ place, ageMs }) => {
          const leftMs = Math.max(0, ofMs - ageMs);
          return (
            <li key={place}>
              <span>{place}</span>
              <meter min={0} max={ofMs} value={leftMs} aria-label={`What is left of the lease of ${place}`} />
              <span className={leftMs === 0 ? 'over' : undefined}>{leftMs === 0 ? 'over: it asks auth' : `${wholeMs(leftMs)} left`}</span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
