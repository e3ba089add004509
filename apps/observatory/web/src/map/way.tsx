import { Link } from 'react-router';
import type { Journey } from './journeys.ts';

/** The way of my last request in words: the same as its marks, for those who see none, and where the map has no lines. */
export function Way({ journey }: { readonly journey: Journey | undefined }) {
  if (journey === undefined)
    return <p className="quiet">Do something in the shop, on this browser: your request travels over this map as marks, hop by hop.</p>;
  const { traceId, name, hops, stepMs } = journey;
  return (
    <section className="way" aria-label="The way of my last request">
      <p>
        <strong>Your last request</strong>, <Link to={`/requests/${traceId}`}>{name}</Link>, crossed {hops.length}{' '}
        {hops.length === 1 ? 'edge' : 'edges'} of this map. The marks keep their order, and are slowed down.
      </p>
      <ol key={traceId}>
        {hops.map(({ from, to, failed }, index) => (
          <li key={index} className={failed ? 'failed' : undefined} style={{ animationDelay: `${index * stepMs}ms` }}>
            {from} → {to}
            {failed && ' (failed)'}
          </li>
        ))}
      </ol>
    </section>
  );
}
