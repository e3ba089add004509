import { useEffect, useState } from 'react';
import type { FaultOn, FaultsView } from '../../../src/api.ts';
import { Failure } from '../api/observatory.ts';
import { Loading } from '../frame/states.tsx';
import { traineeId } from '../api/trainee.ts';
import { wholeMs } from '../words/numbers.ts';
import { Term, WordList } from '../words/term.tsx';
import { BlastTable } from './blast-table.tsx';
import { FaultForm } from './fault-form.tsx';
import { useFaults } from './use-faults.ts';

/** Break something, for yourself alone or for everybody, and see what that does. */
export default function FaultsPage() {
  const { view, failure, switchOn, end } = useFaults();
  useEffect(() => {
    document.title = 'Faults · Observatory';
  }, []);
  return (
    <div className="faults-page">
      <h1>Break something</h1>
      <p className="lead">
        A <Term word="fault" /> disturbs the shop at one point, for a while. It ends by itself, also when this Observatory is killed:
        services keep a switch for 2 s and must be told it again.
      </p>
      {failure && failure.kind !== 'away' && <p className="note problem">{failure.message}</p>}
      {view ? (
        <div className="switchboard">
          <BrokenNow view={view} onEnd={end} />
          <section aria-labelledby="switches">
            <h2 id="switches">What can be broken</h2>
            <ul className="faults">
              {view.faults.map((fault) => (
                <FaultForm key={fault.name} fault={fault} on={view.on} onWanted={switchOn} />
              ))}
            </ul>
          </section>
        </div>
      ) : (
        !failure && <Loading what="the faults" />
      )}
      <BlastTable />
      <footer className="words-here">
        <WordList of={['fault', 'scope', 'blast', 'trainee', 'budget', 'lease', 'projector', 'log']} />
      </footer>
    </div>
  );
}

function BrokenNow({ view, onEnd }: { readonly view: FaultsView; readonly onEnd: (which: string) => Promise<void> }) {
  const [said, setSaid] = useState('');
  const { on, faults } = view;
  const end = async (which: string): Promise<void> => {
    try {
      await onEnd(which);
      setSaid('');
    } catch (error) {
      setSaid(error instanceof Failure ? error.message : String(error));
    }
  };
  return (
    <section aria-labelledby="broken-now" className="broken-now">
      <h2 id="broken-now">Broken now</h2>
      {on.length === 0 ? (
        <p className="quiet">Nothing. Choose a fault, switch it on, use the shop in this browser, and look at your request.</p>
      ) : (
        <ul>
          {on.map((one) => (
            <li key={one.id} className={one.mine === undefined ? 'for-all' : ''}>
              <div>
                <strong>{faults.find(({ name }) => name === one.name)?.title ?? one.name}</strong>{' '}
                <span className="quiet">{detailsOf(one)}</span>
              </div>
              <span>
                <span className={one.mine === undefined ? 'bad' : undefined}>{whomOf(one)}</span>,{' '}
                <span className="left">{leftOf(one.leftMs)}</span>
              </span>
              <button type="button" onClick={() => void end(one.id)}>
                End<span className="visually-hidden"> {one.name}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      {on.length > 0 && <a href="#blast">What it does to each operation</a>}
      {on.length > 1 && (
        <button type="button" onClick={() => void end('')}>
          End all
        </button>
      )}
      <output className="said">{said}</output>
    </section>
  );
}

const detailsOf = ({ at, strengthMs }: FaultOn): string =>
  [at, strengthMs === undefined ? undefined : wholeMs(strengthMs)].filter(Boolean).join(' · ');

function whomOf({ mine }: FaultOn): string {
  if (mine === undefined) return 'everybody meets it';
  return mine === traineeId() ? 'you alone meet it' : `trainee ${mine} alone meets it`;
}

function leftOf(leftMs: number): string {
  const seconds = Math.ceil(leftMs / 1_000);
  return `ends in ${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
