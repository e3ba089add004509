import type { OceanStatus } from '@cloakroom/contracts';
import type { StackView } from '../../../src/api.ts';
import { ms } from '../words/numbers.ts';
import { Term } from '../words/term.tsx';
import { actionsOfWay, bothWays, shoresOf } from './ocean-actions.ts';
import { BothWays, OceanActions, type OceanProps, useTeller } from './ocean-controls.tsx';
import { ProcessCard } from './process-card.tsx';
import { lagOfWay, stateOfWay } from './sea-words.ts';

/** The ocean between the two regions: what it says each second, and a button for each of its commands. */
export function Sea({ stack, lit }: { readonly stack: StackView; readonly lit: string | undefined }) {
  const process = stack.processes.find(({ kind }) => kind === 'ocean');
  const { ocean } = stack;
  const props = { status: ocean, teller: useTeller() };
  return (
    <section className="sea" aria-label="The ocean between the regions">
      <div className="sea-head">
        <h2>The ocean</h2>
        <p>
          {ocean === undefined ? (
            <strong>It does not answer: it starts, is paused or was killed. Its card says which.</strong>
          ) : (
            <>
              Its <Term word="rtt">round trip</Term> is <strong>{ms(ocean.rttMs)}</strong>. Each way has a <Term word="mirror" />, and
              whatever you do here meets <strong>everybody</strong>.
            </>
          )}
        </p>
      </div>
      <div className="sea-ways">
        {bothWays.map((way) => (
          <WayCard key={way} way={way} {...props} />
        ))}
        <BothWays {...props} />
      </div>
      {process !== undefined && (
        <ul className="sea-process">
          <ProcessCard process={process} stack={stack} isLit={lit === process.name} />
        </ul>
      )}
    </section>
  );
}

function WayCard({ way, status, teller }: OceanProps & { readonly way: OceanStatus['ways'][number]['way'] }) {
  const [from, to] = shoresOf(way);
  const one = status?.ways.find((each) => each.way === way);
  const isOpen = one?.state === 'open' && one.dials === 'open';
  const tone = isOpen ? 'good' : one?.state === 'cut' ? 'bad' : 'warn';
  return (
    <section className={one === undefined ? 'sea-way' : `sea-way ${tone}`} aria-label={`From ${from} to ${to}`}>
      <h3>
        From {from} to {to}
      </h3>
      {one !== undefined && (
        <>
          <p className={isOpen ? 'process-state' : 'process-state way-broken'}>
            <span className={`dot ${tone}`} aria-hidden="true" /> {stateOfWay(one)}
          </p>
          <p className="way-lag">{lagOfWay(one)}</p>
          <p className="quiet way-figures">
            {one.connections} {one.connections === 1 ? 'connection' : 'connections'} dialled by {from}, {kilobytes(one.bytes)} arrived
          </p>
        </>
      )}
      <OceanActions actions={actionsOfWay(way)} status={status} teller={teller} />
    </section>
  );
}

const kilobytes = (bytes: number): string =>
  bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
