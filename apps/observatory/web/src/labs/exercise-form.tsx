import { useState, type SubmitEvent } from 'react';
import type { LabFindingsView, LabRunView, LabView } from '../../../src/api.ts';
import { isRunning, numberIn } from './lab-words.ts';
import { Ended, useRunning } from './run-panel.tsx';

interface ExerciseProps {
  readonly lab: LabView;
  readonly findings: LabFindingsView;
  readonly run: LabRunView | undefined;
  readonly onChanged: () => Promise<void>;
}

/** One number is changed, the person predicts again, and a run with that number says whether it was understood. */
export function ExerciseForm({ lab, findings: { exercise }, run, onChanged }: ExerciseProps) {
  const [text, setText] = useState('');
  const { said, begin } = useRunning(onChanged);
  const answer = numberIn(text);
  const mine = run?.lab === lab.name && run.isExercise ? run : undefined;
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const { submitter } = event.nativeEvent as globalThis.SubmitEvent;
    if (answer !== undefined) void begin({ lab: lab.name, quick: submitter?.getAttribute('value') !== 'full', answer });
  };
  return (
    <section className="card" aria-labelledby="exercise">
      <h2 id="exercise">Exercise: change one number, predict again</h2>
      <p>{exercise.task}</p>
      <form className="stack" onSubmit={submit}>
        <label className="field">
          {exercise.asks}
          <span className="lab-answer">
            <input inputMode="decimal" value={text} onChange={({ target }) => setText(target.value)} required autoComplete="off" />
            {exercise.unit !== '' && <span>{exercise.unit}</span>}
          </span>
        </label>
        <p className="row">
          <button type="submit" value="quick" className="primary" disabled={answer === undefined || isRunning(run)}>
            Check it with a quick run
          </button>
          <button type="submit" value="full" disabled={answer === undefined || isRunning(run)}>
            Check it in full, {lab.minutes}
          </button>
        </p>
      </form>
      <output className="said bad">{said}</output>
      <div aria-live="polite">
        {mine?.exercise && (
          <div className={`note ${mine.exercise.right ? 'good' : 'notice'}`}>
            <p>
              <strong>{mine.exercise.right ? 'Right.' : 'Not yet.'}</strong> {mine.exercise.said}
            </p>
            <p>{mine.exercise.why}</p>
          </div>
        )}
        {mine && !mine.exercise && !isRunning(mine) && <Ended run={mine} />}
        {mine && isRunning(mine) && <p className="quiet">It runs. The progress stands above, under “Run it yourself”.</p>}
      </div>
    </section>
  );
}
