import { useEffect } from 'react';
import { Link } from 'react-router';
import { useLive } from '../api/live.ts';
import { WordList } from '../words/term.tsx';
import { type Step, steps } from './steps.ts';
import type { Ticks } from './use-ticks.ts';

/** The tour of docs/tour.md, ticked off by what really happened. */
export default function TourPage({ ticks: { done, forget } }: { readonly ticks: Ticks }) {
  useEffect(() => {
    document.title = 'Tour · Observatory';
  }, []);
  const next = steps.find(({ id }) => !done.has(id));
  return (
    <div className="tour-page">
      <h1>A tour in ten minutes</h1>
      <p className="lead">
        Predict first, then act, then look. A step is ticked off when the Observatory has seen it happen, not when you say so. Keep the
        Observatory open beside the shop. The file <code>docs/tour.md</code> of this project tells the same at more length.
      </p>
      <p aria-live="polite">
        <strong>
          {done.size} of {steps.length} seen.
        </strong>{' '}
        {next === undefined && 'That was the tour. Try a forgery next, or break two things at once.'}
      </p>
      <ol className="tour">
        {steps.map((step) => (
          <TourStep key={step.id} step={step} isDone={done.has(step.id)} isNext={step === next} />
        ))}
      </ol>
      {done.size > 0 && (
        <button type="button" onClick={forget}>
          Begin again
        </button>
      )}
      <footer className="words-here">
        <WordList of={['path', 'hit', 'passport', 'lease', 'log', 'projector', 'fault', 'scope', 'mode']} />
      </footer>
    </div>
  );
}

function TourStep({ step, isDone, isNext }: { readonly step: Step; readonly isDone: boolean; readonly isNext: boolean }) {
  const { title, predict, act, look, means, to, secondGateway } = step;
  return (
    <li className={isDone ? 'done' : isNext ? 'next' : undefined}>
      <details open={isNext}>
        <summary>
          <span aria-hidden="true" className="tick">
            {isDone ? '✓' : ''}
          </span>
          {title}
          <span className="visually-hidden">{isDone ? ', seen' : ', not seen yet'}</span>
        </summary>
        <dl>
          <dt>Predict</dt>
          <dd>{predict}</dd>
          <dt>Do</dt>
          <dd>
            {act} {secondGateway !== undefined && <SecondGateway path={secondGateway} />}
          </dd>
          <dt>Look</dt>
          <dd>
            {look} <Link to={to}>Go there</Link>
          </dd>
          <dt>It means</dt>
          <dd>
            <Meaning isDone={isDone}>{means}</Meaning>
          </dd>
        </dl>
      </details>
    </li>
  );
}

/** The answer is hidden until the step is ticked or somebody asks for it: read before the prediction, it leaves nothing to predict. */
function Meaning({ isDone, children }: { readonly isDone: boolean; readonly children: string }) {
  if (isDone) return children;
  return (
    <details className="meaning">
      <summary>Show what it means</summary>
      {children}
    </details>
  );
}

/** An address to copy: a link would open it in this window's cookie jar. */
function SecondGateway({ path }: { readonly path: string }) {
  const gateway = useLive().stack?.gateways[1];
  if (gateway === undefined) return null;
  return (
    <>
      Its address: <a href={gateway + path}>{gateway + path}</a>
    </>
  );
}
