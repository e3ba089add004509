import { useState, type FormEvent } from 'react';
import type { LabView } from '../../../src/api.ts';
import { act, Failure } from '../api/observatory.ts';
import { useFocusOnMount } from '../frame/focus.ts';

interface FormProps {
  readonly lab: LabView;
  readonly takesFocus: boolean;
  readonly onKept: () => Promise<void>;
  readonly onSkip: () => void;
}

/** Asked before anything is shown: whoever has committed to an answer learns more from the result. */
export function PredictionForm({ lab: { name, prediction }, takesFocus, onKept, onSkip }: FormProps) {
  const [answer, setAnswer] = useState('');
  const [said, setSaid] = useState('');
  const [isSending, setSending] = useState(false);
  const heading = useFocusOnMount<HTMLHeadingElement>(takesFocus);
  const keep = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setSending(true);
    try {
      await act('PUT', `/api/labs/${encodeURIComponent(name)}/prediction`, { answer });
      await onKept();
    } catch (error) {
      setSaid(error instanceof Failure ? error.message : String(error));
    } finally {
      setSending(false);
    }
  };
  return (
    <section className="card" aria-labelledby="predict">
      <h2 id="predict" ref={heading} tabIndex={-1}>
        Predict first
      </h2>
      <form className="stack" onSubmit={(event) => void keep(event)}>
        <Answer prediction={prediction} answer={answer} onAnswer={setAnswer} />
        <p className="row">
          <button type="submit" className="primary" disabled={isSending}>
            {isSending ? 'Keeping it …' : 'That is my prediction'}
          </button>
          <button type="button" className="plain" onClick={onSkip}>
            Look without a prediction
          </button>
        </p>
        <output className="said bad">{said}</output>
        <p className="quiet">
          The result is not shown before. Your answer is kept on this machine, and <code>npm run lab</code> shows it too.
        </p>
      </form>
    </section>
  );
}

interface AnswerProps {
  readonly prediction: LabView['prediction'];
  readonly answer: string;
  readonly onAnswer: (answer: string) => void;
}

function Answer({ prediction: { asks, choices, unit }, answer, onAnswer }: AnswerProps) {
  if (choices === undefined)
    return (
      <label className="field">
        {asks}
        <span className="lab-answer">
          <input inputMode="decimal" value={answer} onChange={({ target }) => onAnswer(target.value)} required autoComplete="off" />
          {unit !== '' && <span>{unit}</span>}
        </span>
      </label>
    );
  return (
    <fieldset className="lab-choices">
      <legend>{asks}</legend>
      {Object.entries(choices).map(([letter, words]) => (
        <label key={letter}>
          <input type="radio" name="prediction" value={letter} checked={answer === letter} onChange={() => onAnswer(letter)} required />
          <span>
            {letter}) {words}
          </span>
        </label>
      ))}
    </fieldset>
  );
}
