import { Fragment, useEffect, useMemo, useRef, useState, type RefObject } from 'react';
import type { EdgeView, StackView } from '../../../src/api.ts';
import { useLive } from '../api/live.ts';
import { Loading } from '../frame/states.tsx';
import { Term, WordList } from '../words/term.tsx';
import { EdgeLines, EdgeTable } from './edges.tsx';
import { edgesOnMap, placeNodes, regionsOf, titleOf } from './place-nodes.ts';
import { Sea } from './sea.tsx';
import { useJourneys } from './journeys.ts';
import { ProcessCard } from './process-card.tsx';
import { Way } from './way.tsx';

/** The running shop, drawn from what the supervisor tells. */
export default function MapPage() {
  const { stack, edges, connection } = useLive();
  useEffect(() => {
    document.title = 'Map · Observatory';
  }, []);
  return (
    <div className="map-page">
      <h1>The shop as it runs</h1>
      {stack === undefined || stack.processes.length === 0 ? (
        connection === 'open' ? (
          <p className="note">No supervisor tells this Observatory about processes. Start it together with the shop: npm start.</p>
        ) : (
          <Loading what="the map" />
        )
      ) : (
        <Drawn stack={stack} edges={edges} />
      )}
      <footer className="words-here">
        <WordList
          of={['process', 'pause', 'kill', 'restart', 'rate', 'p99', 'lease', 'passport', 'budget', 'log', 'projector', 'mirror', 'rtt']}
        />
      </footer>
    </div>
  );
}

function Drawn({ stack, edges }: { readonly stack: StackView; readonly edges: readonly EdgeView[] }) {
  const place = useRef<HTMLDivElement>(null);
  const lit = usePointedAt(place);
  const { journeys, last } = useJourneys();
  const regions = regionsOf(stack);
  const embedded = stack.processes.some(({ kind }) => kind === 'embedded');
  const own = stack.processes.filter(({ kind }) => kind === 'observatory');
  return (
    <>
      <p className="lead">{wordsOf(stack, embedded)}</p>
      <p className="quiet">
        Each card is a <Term word="process" />. A line is drawn where one asked another in the last 10 s; point at a card to read its{' '}
        <Term word="rate" /> and <Term word="p99" />.
      </p>
      <Way journey={last} />
      <div ref={place} className={regions.length === 0 ? 'maps' : 'maps two-regions'}>
        <EdgeLines place={place} edges={edgesOnMap(stack, edges)} lit={lit} stack={stack} journeys={journeys} />
        {regions.length === 0 ? (
          <Columns stack={stack} lit={lit} />
        ) : (
          regions.map((region, index) => (
            <Fragment key={region}>
              {index > 0 && <Sea stack={stack} lit={lit} />}
              <section className="region" aria-label={`Region ${region}`}>
                <h2>Region {region}</h2>
                <Columns stack={stack} region={region} lit={lit} />
              </section>
            </Fragment>
          ))
        )}
      </div>
      {own.length > 0 && (
        <section className="own" aria-label="The Observatory itself">
          <ul>
            {own.map((process) => (
              <ProcessCard key={process.name} process={process} stack={stack} isLit={false} />
            ))}
          </ul>
        </section>
      )}
      <EdgeTable edges={edges} />
    </>
  );
}

interface ColumnsProps {
  readonly stack: StackView;
  /** Undefined where there is one region. */
  readonly region?: string;
  readonly lit: string | undefined;
}

function Columns({ stack, region, lit }: ColumnsProps) {
  const columns = useMemo(() => placeNodes(stack, region), [stack, region]);
  const embedded = stack.processes.some(({ kind }) => kind === 'embedded');
  const titleIn = (column: (typeof columns)[number]['column']): string =>
    region === undefined ? titleOf(column, embedded) : `${titleOf(column, embedded)} in ${region}`;
  return (
    <div className={`map columns-${columns.length}`}>
      {columns.map(({ column, processes }, index) => (
        <section key={column} aria-label={titleIn(column)} className={`column ${column}`}>
          <h2>{titleIn(column)}</h2>
          {index === 0 && region === undefined && (
            <p className="browser-place" data-node="browser">
              browsers
            </p>
          )}
          <ul>
            {processes.map((process) => (
              <ProcessCard key={process.name} process={process} stack={stack} isLit={lit === process.name} />
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}

function wordsOf({ provider, profile, processes }: StackView, embedded: boolean): string {
  const count = processes.filter(({ kind }) => kind !== 'observatory').length;
  const where = embedded
    ? 'All services run in one process here, and memory and files stand for Redis and Kafka. To stop one service alone, start the shop on native.'
    : `${count} processes run as ${provider}${profile === 'usual' ? '' : `, profile ${profile}`}. Each can be stopped alone.`;
  const bad = processes.filter(({ state }) => state !== 'ready').length;
  return bad === 0 ? where : `${where} ${bad} of them ${bad === 1 ? 'is' : 'are'} not ready now.`;
}

/** The place that the pointer or the focus is in: its edges come forward. It only adds to what the table says. */
function usePointedAt(place: RefObject<HTMLElement | null>): string | undefined {
  const [name, setName] = useState<string>();
  useEffect(() => {
    const map = place.current;
    if (!map) return;
    const point = ({ target }: Event): void => setName((target as Element).closest<HTMLElement>('[data-node]')?.dataset['node']);
    const leave = (): void => setName(undefined);
    const listened = [
      ['pointerover', point],
      ['pointerleave', leave],
      ['focusin', point],
      ['focusout', leave],
    ] as const;
    for (const [event, listener] of listened) map.addEventListener(event, listener);
    return () => {
      for (const [event, listener] of listened) map.removeEventListener(event, listener);
    };
  }, [place]);
  return name;
}
