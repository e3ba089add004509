/** The part of a lab's page that comes after the prediction: the prediction beside the truth, the run, the results, the exercise and the text. */
import { useEffect, useRef } from 'react';
import type { LabFindingsView, LabRunAnswer, LabRunView, LabView } from '../../../src/api.ts';
import { useReading } from '../api/use-reading.ts';
import { useFocusOnMount } from '../frame/focus.ts';
import { Loading } from '../frame/states.tsx';
import { Term } from '../words/term.tsx';
import { ExerciseForm } from './exercise-form.tsx';
import { LabResult } from './lab-result.tsx';
import { LabText } from './lab-text.tsx';
import { labTimeoutMs } from './lab-words.ts';
import { RunPanel } from './run-panel.tsx';

/** A measurement takes seconds. */
const rereadMs = 1_000;

interface FindingsProps {
  readonly lab: LabView;
  readonly takesFocus: boolean;
  readonly onPredictAgain: () => void;
}

export function LabFindings({ lab, takesFocus, onPredictAgain }: FindingsProps) {
  const { name } = lab;
  const { value, failure, reread } = useReading<LabFindingsView>(`/api/labs/${encodeURIComponent(name)}/findings`, undefined, labTimeoutMs);
  const { value: answer, reread: lookAgain } = useReading<LabRunAnswer>('/api/lab-run', rereadMs);
  const run = answer?.run;
  const endedAtMs = run?.lab === name ? run.endedAtMs : undefined;
  const readFor = useRef<number>(undefined);
  useEffect(() => {
    if (endedAtMs === undefined || readFor.current === endedAtMs) return;
    readFor.current = endedAtMs;
    void reread();
  }, [endedAtMs, reread]);
  if (!value) return failure ? <p className="note problem">{failure.message}</p> : <Loading what="the results" />;
  return (
    <>
      <Predicted findings={value} takesFocus={takesFocus} onPredictAgain={onPredictAgain} />
      <RunPanel lab={lab} run={run} onChanged={lookAgain} />
      <Arms findings={value} />
      <div className="lab-results">
        {value.published && <LabResult id="published" title="The published run" result={value.published} />}
        {run && isUnread(run, value) ? (
          <section className="card" aria-labelledby="own">
            <h2 id="own">Your last run</h2>
            <Loading what="your run" />
          </section>
        ) : value.own ? (
          <LabResult id="own" title="Your last run" result={value.own} />
        ) : (
          <section className="card" aria-labelledby="own">
            <h2 id="own">Your last run</h2>
            <p>You have not run it yet. Press Run above, or type the command in a terminal: the result stands here either way.</p>
          </section>
        )}
      </div>
      <ExerciseForm lab={lab} findings={value} run={run} onChanged={lookAgain} />
      <LabText blocks={value.text} />
    </>
  );
}

/** The run is done, and its result is on its way here. */
const isUnread = ({ lab, state, isExercise, startedAtMs }: LabRunView, { name, own }: LabFindingsView): boolean =>
  lab === name && state === 'done' && !isExercise && (own === undefined || Date.parse(own.at) < startedAtMs);

function Predicted({ findings: { predicted }, takesFocus, onPredictAgain }: PredictedProps) {
  const heading = useFocusOnMount<HTMLHeadingElement>(takesFocus);
  return (
    <section className="card" aria-labelledby="predicted">
      <h2 id="predicted" ref={heading} tabIndex={-1}>
        Your prediction
      </h2>
      {predicted === undefined ? (
        <p>You gave none.</p>
      ) : (
        <p className={`note ${predicted.right === undefined ? '' : predicted.right ? 'good' : 'notice'}`}>
          <span>
            You predicted <strong>{predicted.words}</strong>. {predicted.right === undefined && 'Compare it with the table.'}
            {predicted.right === true && 'So it is.'}
            {predicted.right === false && (
              <>
                It is <strong>{predicted.rightWords}</strong>.
              </>
            )}
          </span>
        </p>
      )}
      <button type="button" onClick={onPredictAgain}>
        {predicted === undefined ? 'Predict after all' : 'Predict again'}
      </button>
    </section>
  );
}

interface PredictedProps {
  readonly findings: LabFindingsView;
  readonly takesFocus: boolean;
  readonly onPredictAgain: () => void;
}

function Arms({ findings: { arms, quantities } }: { readonly findings: LabFindingsView }) {
  return (
    <section className="card" aria-labelledby="arms">
      <h2 id="arms">What is compared</h2>
      <p className="quiet">
        Each is an <Term word="arm" />. They are measured in turn, in one run, and differ in one thing.
      </p>
      <dl className="lab-terms">
        {arms.map(({ name, says }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{says}</dd>
          </div>
        ))}
      </dl>
      <h3>What is measured</h3>
      <dl className="lab-terms">
        {quantities.map(({ name, unit, says }) => (
          <div key={name}>
            <dt>{unit === '' ? name : `${name} (${unit})`}</dt>
            <dd>{says}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
