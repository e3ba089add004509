/** One run: verdict, figure, table, statements, and where and when it was measured. */
import type { JudgedView, LabResultView } from '../../../src/api.ts';
import { dateAndTime } from '../words/numbers.ts';
import { Term } from '../words/term.tsx';
import { machineWords, toneOf } from './lab-words.ts';

export function LabResult({ id, title, result }: { readonly id: string; readonly title: string; readonly result: LabResultView }) {
  const { at, machine, changed, judged, figure, stories } = result;
  const [first] = judged;
  return (
    <section className="card lab-result" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      <p className="quiet">
        <time dateTime={at}>{dateAndTime(at)}</time> · {machineWords(result)} · <Term word="load" /> {machine.load}
        {changed.length > 0 && ` · with ${changed.join(', ')}`}
      </p>
      {first && (
        <p className="lab-verdict">
          The claim: <Verdict of={first} />
        </p>
      )}
      {figure && <Figure figure={figure} />}
      <Table id={id} result={result} />
      <h3>
        Statements, each with its <Term word="interval" /> and its <Term word="control" />
      </h3>
      <ol className="lab-judged">
        {judged.map((one) => (
          <Statement key={one.says} judged={one} />
        ))}
      </ol>
      {Object.entries(stories).map(([arm, story]) => (
        <details key={arm}>
          <summary>What happened in {arm}</summary>
          <pre>{story}</pre>
        </details>
      ))}
    </section>
  );
}

const Verdict = ({ of: { verdict } }: { readonly of: JudgedView }) => <span className={`badge ${toneOf(verdict)}`}>{verdict}</span>;

function Statement({ judged }: { readonly judged: JudgedView }) {
  const { says, interval, control, rule, why } = judged;
  return (
    <li>
      <p>
        <Verdict of={judged} /> {says}
      </p>
      <p className="quiet">{rule}</p>
      <dl>
        <dt>interval</dt>
        <dd>{interval}</dd>
        <dt>same arm twice</dt>
        <dd>{control}</dd>
      </dl>
      {why !== undefined && <p className="quiet">Why: {why}.</p>}
    </li>
  );
}

/** As an address of data, because an image is asked for without the key. The stylesheet shows the one of the theme. */
function Figure({ figure: { title, light, dark } }: { readonly figure: NonNullable<LabResultView['figure']> }) {
  return (
    <figure className="lab-figure">
      {[light, dark].map((svg, index) => (
        <img
          key={index === 0 ? 'light' : 'dark'}
          className={index === 0 ? 'in-light' : 'in-dark'}
          src={`data:image/svg+xml,${encodeURIComponent(svg)}`}
          alt={`${title}. The table below has the numbers.`}
        />
      ))}
    </figure>
  );
}

function Table({ id, result: { table } }: { readonly id: string; readonly result: LabResultView }) {
  const [, ...quantities] = table.head;
  return (
    <div className="table">
      <table>
        <caption className="visually-hidden">Medians over the rounds, {id === 'own' ? 'your last run' : 'published run'}</caption>
        <thead>
          <tr>
            <th scope="col">
              <Term word="arm">Arm</Term>
            </th>
            {quantities.map((quantity) => (
              <th key={quantity} scope="col" className="number">
                {quantity}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.map(([arm, ...values]) => (
            <tr key={arm}>
              <th scope="row">{arm}</th>
              {quantities.map((quantity, index) => (
                <td key={quantity} className="number" data-label={quantity}>
                  {values[index] === 'NaN' ? '–' : values[index]}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
