import { useEffect } from 'react';
import type { PartitionView, PlacesView, ReaderView } from '../../../src/api.ts';
import { useReading } from '../api/use-reading.ts';
import { Loading } from '../frame/states.tsx';
import { ms } from '../words/numbers.ts';
import { Slots } from './slots.tsx';
import { Term, WordList } from '../words/term.tsx';

const rereadMs = 1_000;

/** Where things stand: the partitions of carts, who owns each, and how far behind every reader is. */
export default function PlacesPage() {
  const { value, failure } = useReading<PlacesView>('/api/places', rereadMs);
  useEffect(() => {
    document.title = 'Places · Observatory';
  }, []);
  return (
    <div className="places-page">
      <h1>Where each cart lives, and how far behind its readers are</h1>
      <p className="lead">
        A cart belongs to one partition of the <Term word="log" />, by a hash of its id. One process owns a partition at a time: its{' '}
        <Term word="projector" /> alone writes those carts into the view. Kill the owner on the Map, and watch another take over.
      </p>
      {failure && failure.kind !== 'away' && <p className="note problem">{failure.message}</p>}
      {value ? (
        <>
          {value.partitions.length === 0 ? (
            <p className="note notice">No process tells that it owns a partition. One that has just started needs a few seconds.</p>
          ) : (
            [...Map.groupBy(value.partitions, ({ region }) => region)].map(([region, partitions]) => (
              <Partitions key={region ?? ''} region={region} partitions={partitions} />
            ))
          )}
          <Slots />
          <Readers readers={value.readers} />
        </>
      ) : (
        !failure && <Loading what="the places" />
      )}
      <footer className="words-here">
        <WordList of={['log', 'offset', 'projector', 'lag', 'process']} />
      </footer>
    </div>
  );
}

interface PartitionsProps {
  /** Undefined where there is one region. */
  readonly region: string | undefined;
  readonly partitions: readonly PartitionView[];
}

function Partitions({ region, partitions }: PartitionsProps) {
  const id = region === undefined ? 'partitions' : `partitions-${region}`;
  return (
    <section aria-labelledby={id} className="card">
      <h2 id={id}>
        {partitions.length} partitions of carts{region !== undefined && ` in the log of ${region}`}
      </h2>
      <ol className="partitions">
        {partitions.map(({ partition, owner, nextOffset, lagRecords = 0, lagSeconds }) => (
          <li key={`${partition} ${owner}`} className={lagRecords > 0 ? 'behind' : nextOffset > 0 ? 'used' : undefined}>
            <strong>p{partition}</strong>
            <span>{owner}</span>
            <span>{nextOffset === 0 ? 'empty' : `next offset ${nextOffset}`}</span>
            {lagRecords > 0 && (
              <span>
                behind by {lagRecords}
                {lagSeconds !== undefined && `, ${ms(lagSeconds * 1_000)}`}
              </span>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}

function Readers({ readers }: { readonly readers: readonly ReaderView[] }) {
  return (
    <section aria-labelledby="readers" className="card">
      <h2 id="readers">Everybody who reads a log</h2>
      <div className="table">
        <table>
          <caption className="visually-hidden">Readers of the logs and their lag</caption>
          <thead>
            <tr>
              <th scope="col">Topic</th>
              <th scope="col">Group</th>
              <th scope="col">Process</th>
              <th scope="col" className="number">
                <Term word="lag">Lag</Term>
              </th>
            </tr>
          </thead>
          <tbody>
            {readers.map(({ topic, group, process, lagRecords, lagSeconds }) => (
              <tr key={`${topic} ${group} ${process}`}>
                <th scope="row">{topic}</th>
                <td data-label="Group">{group}</td>
                <td data-label="Process">{process}</td>
                <td className="number" data-label="Lag">
                  {lagRecords === 0 ? 'none' : `${lagRecords} records`}
                  {lagRecords > 0 && lagSeconds !== undefined && `, ${ms(lagSeconds * 1_000)}`}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
