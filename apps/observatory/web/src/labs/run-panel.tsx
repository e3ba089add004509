import { useState } from 'react';
import { Link } from 'react-router';
import type { LabRunView, LabRunWanted, LabView } from '../../../src/api.ts';
import { act, Failure } from '../api/observatory.ts';
import { isRunning, runWords } from './lab-words.ts';

interface PanelProps {
  readonly lab: LabView;
  readonly run: LabRunView | undefined;
  readonly onChanged: () => Promise<void>;
}

/** Starts the lab, shows how far it is, and stops it. */
export function RunPanel({ lab, run, onChanged }: PanelProps) {
  const { said, begin } = useRunning(onChanged);
  const busy = isRunning(run);
  const { name, minutes } = lab;
  return (
    <section className="card" aria-labelledby="run">
      <h2 id="run">Run it yourself</h2>
      <p>
        It runs on this machine as a process of its own, beside your shop. One lab runs at a time, because two would measure each other.
      </p>
      {busy && run ? (
        <Progress run={run} here={name} onChanged={onChanged} />
      ) : (
        <p className="row">
          <button type="button" className="primary" onClick={() => void begin({ lab: name, quick: true })}>
            Run quickly, within a minute
          </button>
          <button type="button" onClick={() => void begin({ lab: name, quick: false })}>
            Run in full, {minutes}
          </button>
        </p>
      )}
      <output className="said bad">{said}</output>
      <div aria-live="polite">{run && !busy && run.lab === name && !run.isExercise && <Ended run={run} />}</div>
    </section>
  );
}

/** Asks the server for a run, and keeps what it refused. */
export function useRunning(onChanged: () => Promise<void>) {
  const [said, setSaid] = useState('');
  const begin = async (wanted: LabRunWanted): Promise<void> => {
    setSaid('');
    try {
      await act<LabRunView>('POST', '/api/lab-run', wanted);
    } catch (error) {
      setSaid(error instanceof Failure ? error.message : String(error));
    }
    await onChanged();
  };
  return { said, begin };
}

function Progress({ run, here, onChanged }: { readonly run: LabRunView; readonly here: string; readonly onChanged: () => Promise<void> }) {
  const stop = async (): Promise<void> => {
    // A run that ended by itself meanwhile cannot be stopped. The next look says so.
    await act('DELETE', '/api/lab-run').catch(() => undefined);
    await onChanged();
  };
  return (
    <div className="lab-progress">
      <p>
        <strong>
          {run.lab === here ? (
            run.isExercise ? (
              'The exercise runs'
            ) : (
              'It runs'
            )
          ) : (
            <Link to={`/labs/${run.lab}`}>The lab {run.lab} runs</Link>
          )}
          {run.quick ? ', quickly' : ', in full'}.
        </strong>{' '}
        <span className="quiet">{runWords(run)}</span>
      </p>
      <progress value={run.part} max={1} aria-label="Measurements done" />
      <button type="button" onClick={() => void stop()} disabled={run.state === 'stopping'}>
        {run.state === 'stopping' ? 'Stopping …' : 'Stop'}
      </button>
    </div>
  );
}

export function Ended({ run }: { readonly run: LabRunView }) {
  const tone = run.state === 'done' ? 'good' : run.state === 'stopped' ? 'notice' : 'problem';
  return (
    <div className={`note ${tone}`}>
      <p>
        {runWords(run)}
        {run.state === 'done' && !run.isExercise && ' Its result stands below.'}
        {run.why !== undefined && <span className="lab-why">{run.why}</span>}
      </p>
    </div>
  );
}
