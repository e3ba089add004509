/** What each class of operation promises while something is broken, beside what was observed. */
import type { BlastOperation, BlastRadiusView } from '../../../src/api.ts';
import { traineeId } from '../api/trainee.ts';
import { useReading } from '../api/use-reading.ts';
import { observedIn } from './observed-in.ts';
import { Term } from '../words/term.tsx';

/** Observed is the last 10 s. */
const rereadMs = 2_000;

export function BlastTable() {
  const { value } = useReading<BlastRadiusView>(`/api/blast-radius?mine=${encodeURIComponent(traineeId())}`, rereadMs);
  if (!value) return null;
  const { gone, unpromised, operations, windowMs } = value;
  return (
    <section aria-labelledby="blast" className="blast">
      <h2 id="blast">
        The <Term word="blast" />, as promised and as observed
      </h2>
      <p className="quiet">
        {gone.length > 0 && `As good as gone: ${gone.map(({ title, why }) => `${title}: ${why}`).join('; ')}. `}
        {unpromised.length > 0 &&
          `No part of the shop is gone by this: ${unpromised.join(', ')}. While it lasts, no row is judged red or right. `}
        {gone.length + unpromised.length === 0 && 'Nothing is broken now. '}
        Observed are your requests of the last {Math.round(windowMs / 1_000)} s. A red row does not do what <code>docs/failures.md</code>{' '}
        promises. An answer within 3 s of a change is shown, and not judged. Nor is a refusal of the request itself, such as a wrong body
        (4xx).
      </p>
      <div className="table">
        <table>
          <caption className="visually-hidden">Each class of operation, its promise, and what was observed</caption>
          <thead>
            <tr>
              <th scope="col">Operation</th>
              <th scope="col">Promise</th>
              <th scope="col">Observed</th>
            </tr>
          </thead>
          <tbody>
            {operations.map((operation) => (
              <Row key={operation.title} operation={operation} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Row({ operation }: { readonly operation: BlastOperation }) {
  const { title, request, promises, agrees } = operation;
  return (
    <tr className={agrees === false ? 'broken' : undefined}>
      <th scope="row">
        {title}
        <code>{request}</code>
      </th>
      <td data-label="Promise">{promises.length === 0 ? 'no promise' : promises.join('; ').replaceAll('`', '')}</td>
      <td data-label="Observed">
        {agrees === false && <strong>not as promised: </strong>}
        {observedIn(operation)}
      </td>
    </tr>
  );
}
