import type { StackView } from '../../../src/api.ts';
import { ProcessCard } from './process-card.tsx';
import { wordsOfWay } from './sea-words.ts';

/** The ocean between the two regions, and how far each copy is behind: told anew each second. */
export function Sea({ stack, lit }: { readonly stack: StackView; readonly lit: string | undefined }) {
  const process = stack.processes.find(({ kind }) => kind === 'ocean');
  const { ocean } = stack;
  return (
    <section className="sea" aria-label="The ocean between the regions">
      <h2>{ocean === undefined ? 'The ocean does not answer' : `The ocean: a round trip of ${ocean.rttMs} ms`}</h2>
      {ocean?.ways.map((way) => (
        <p key={way.way} className={way.state === 'open' && way.dials === 'open' ? 'way-open' : 'way-broken'}>
          {wordsOfWay(way)}
        </p>
      ))}
      <p className="quiet">
        Break it: <code>npm run ocean -- cut eu-us</code>, <code>hold</code>, <code>rtt 200</code>, <code>heal</code>
      </p>
      {process !== undefined && (
        <ul>
          <ProcessCard process={process} stack={stack} isLit={lit === process.name} />
        </ul>
      )}
    </section>
  );
}
