/** The same as the drawing, in rows: for a screen reader, for a phone, and for copying. */
import type { RequestView, SpanView } from '../../../src/api.ts';
import { hopName } from '../words/names.ts';
import { ms, percent, wholeMs } from '../words/numbers.ts';
import { Term } from '../words/term.tsx';
import { waitsOf, type Wait } from './waits.ts';

interface TableProps {
  readonly view: RequestView;
  readonly selected: string | undefined;
  readonly onSelect: (spanId: string) => void;
}

/** Above this, a part of the time that nothing explains is worth saying. */
const unexplainedPartMax = 0.1;

export function PathTable({ view, selected, onSelect }: TableProps) {
  const waits = waitsOf(view);
  const longest = waits.toSorted((a, b) => b.waitMs - a.waitMs)[0];
  return (
    <section aria-labelledby="what-you-waited-for" className="path-section">
      <h2 id="what-you-waited-for">What would have made it faster</h2>
      <p className="quiet">
        These hops are the <Term word="path" />: the answer waited for each of them in turn.{' '}
        {longest && view.durationMs > 0 && (
          <>
            The longest wait is <strong>{hopName(longest.name)}</strong>. Had it taken no time, the answer would have come after{' '}
            {ms(longest.atBestMs)} at best.
          </>
        )}
      </p>
      <div className="table">
        <table>
          <caption className="visually-hidden">The critical path, hop by hop</caption>
          <thead>
            <tr>
              <th scope="col">Where</th>
              <th scope="col">Hop</th>
              <th scope="col" className="number">
                You waited
              </th>
              <th scope="col" className="number">
                <Term word="share">Share</Term>
              </th>
              <th scope="col" className="number">
                <Term word="budget">Budget</Term> on entering
              </th>
              <th scope="col" className="number">
                Without it
              </th>
            </tr>
          </thead>
          <tbody>
            {waits.map((wait, index) => (
              <WaitRow
                key={`${wait.spanId} ${wait.name} ${index}`}
                wait={wait}
                isEntry={waits.findIndex(({ spanId }) => spanId === wait.spanId) === index}
                selected={selected}
                onSelect={onSelect}
              />
            ))}
          </tbody>
        </table>
      </div>
      {view.unattributedPart > unexplainedPartMax && (
        <p className="note notice">
          <Term word="unattributed">Unexplained</Term>: {percent(view.unattributedPart)} of this time stands in the rows above without
          proof. It is the time of calls whose other side told nothing, and time that two processes tell differently. A busy machine does
          that, and so does code without a span.
        </p>
      )}
      <AfterTable view={view} selected={selected} onSelect={onSelect} />
    </section>
  );
}

interface RowProps extends Omit<TableProps, 'view'> {
  readonly wait: Wait;
  /** A hop that calls others stands in several rows. Its budget belongs to the first. */
  readonly isEntry: boolean;
}

function WaitRow({ wait, isEntry, selected, onSelect }: RowProps) {
  const { spanId, span, explained } = wait;
  return (
    <tr aria-current={spanId !== undefined && spanId === selected ? 'true' : undefined}>
      <td className="place">{wait.place}</td>
      <th scope="row">
        <HopButton spanId={spanId} name={wait.name} onSelect={onSelect} />
        {!explained && (
          <>
            {' '}
            <Term word="unattributed" />
          </>
        )}
      </th>
      <td className="number" data-label="You waited">
        {ms(wait.waitMs)}
      </td>
      <td className="number" data-label="Share">
        <meter className="share" min={0} max={1} value={wait.share} aria-hidden="true" />
        {percent(wait.share)}
      </td>
      <td className="number" data-label="Budget on entering">
        {span?.budget && isEntry ? wholeMs(span.budget.leftMs) : <span aria-label="none">–</span>}
      </td>
      <td className="number" data-label="Without it">
        {ms(wait.atBestMs)}
      </td>
    </tr>
  );
}

function HopButton({
  spanId,
  name,
  onSelect,
}: {
  readonly spanId: string | undefined;
  readonly name: string;
  readonly onSelect: (spanId: string) => void;
}) {
  if (spanId === undefined) return <Term word="unattributed">{name}</Term>;
  return (
    <button type="button" className="plain hop-button" onClick={() => onSelect(spanId)}>
      {hopName(name)}
    </button>
  );
}

function AfterTable({ view, selected, onSelect }: TableProps) {
  const later = view.spans.filter((span) => span.afterAnswer).toSorted((a, b) => a.startMs - b.startMs);
  if (later.length === 0) return null;
  return (
    <>
      <h2>
        What came <Term word="after">after the answer</Term>
      </h2>
      <div className="table">
        <table>
          <caption className="visually-hidden">What the request caused after its answer</caption>
          <thead>
            <tr>
              <th scope="col">Where</th>
              <th scope="col">Hop</th>
              <th scope="col" className="number">
                After the answer
              </th>
              <th scope="col" className="number">
                Took
              </th>
              <th scope="col">
                Place in the <Term word="log" />
              </th>
            </tr>
          </thead>
          <tbody>
            {later.map((span) => (
              <tr key={span.spanId} aria-current={span.spanId === selected ? 'true' : undefined}>
                <td className="place">{view.lanes.find(({ id }) => id === span.lane)?.title ?? span.lane}</td>
                <th scope="row">
                  <HopButton spanId={span.spanId} name={span.name} onSelect={onSelect} />
                </th>
                <td className="number" data-label="After the answer">
                  + {ms(span.startMs - view.answerMs)}
                </td>
                <td className="number" data-label="Took">
                  {ms(span.durationMs)}
                </td>
                <td data-label="In the log">{placeInLog(span)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function placeInLog({ log }: SpanView): string {
  if (!log) return '';
  return [log.topic, log.partition === undefined ? '' : `p${log.partition}`, log.offset === undefined ? '' : `offset ${log.offset}`]
    .filter(Boolean)
    .join(' · ');
}
