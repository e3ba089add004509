import { useId, useState } from 'react';
import { Link } from 'react-router';
import type { ProcessView, StackView } from '../../../src/api.ts';
import { act, Failure } from '../api/observatory.ts';
import { megabytes } from '../words/numbers.ts';
import { ProcessLog } from './process-log.tsx';
import { actionsFor, consequence, type Action } from './actions.ts';

interface CardProps {
  readonly process: ProcessView;
  readonly stack: StackView;
  readonly isLit: boolean;
}

/** A process, and its menu: what can be done to it, what that will do, and to whom. */
export function ProcessCard({ process, stack, isLit }: CardProps) {
  const { name, kind, apps, state, pid, memoryBytes, restarts, note } = process;
  const health = healthOf(process);
  return (
    <li className={`process ${health.tone}${isLit ? ' lit' : ''}`} data-node={name}>
      <h3>{name}</h3>
      <p className="process-state">
        <span className={`dot ${health.tone}`} aria-hidden="true" /> {health.word}
      </p>
      {health.details.length > 0 && <p className="quiet">{health.details.join('; ')}</p>}
      <dl className="process-facts">
        {pid !== undefined && <Figure name="pid" value={String(pid)} />}
        {memoryBytes !== undefined && <Figure name="memory" value={megabytes(memoryBytes)} />}
        {restarts > 0 && <Figure name="restarts" value={String(restarts)} />}
      </dl>
      {apps.length > 1 && <Apps of={process} />}
      {note !== undefined && <p className="quiet">{note}</p>}
      {state !== 'waiting' && <ProcessLog name={name} />}
      {state !== 'waiting' && kind !== 'observatory' && <Menu process={process} stack={stack} />}
    </li>
  );
}

/** Of a process that holds several apps: gateways on the left, and on the right whom they ask. */
function Apps({ of: { name, apps } }: { readonly of: ProcessView }) {
  const { gateways = [], services = [] } = Object.groupBy(apps, (app) => (app.startsWith('gateway') ? 'gateways' : 'services'));
  return (
    <div className="apps">
      {[gateways, services].map((some, index) => (
        <ul key={index} aria-label={`${index === 0 ? 'Gateways' : 'Services'} in ${name}`}>
          {some.map((app) => (
            <li key={app} data-node={app}>
              {app}
            </li>
          ))}
        </ul>
      ))}
    </div>
  );
}

function Figure({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

type Tone = 'good' | 'warn' | 'bad';

function healthOf({ state, health }: ProcessView): { readonly tone: Tone; readonly word: string; readonly details: readonly string[] } {
  if (state === 'paused') return { tone: 'warn', word: 'paused: it answers nobody', details: [] };
  if (state === 'ended') return { tone: 'bad', word: 'ended', details: [] };
  if (state !== 'ready') return { tone: 'warn', word: state, details: [] };
  if (health === undefined || health.state === 'ready') return { tone: 'good', word: 'ready', details: [] };
  return { tone: health.state === 'degraded' ? 'warn' : 'bad', word: health.state, details: health.words };
}

const names: Readonly<Record<Action, string>> = { pause: 'Pause', resume: 'Resume', kill: 'Kill', restart: 'Restart' };

function Menu({ process, stack }: { readonly process: ProcessView; readonly stack: StackView }) {
  const id = useId();
  const [said, setSaid] = useState('');
  const run = async (action: Action): Promise<void> => {
    setSaid(`${names[action]} asked …`);
    try {
      await act('POST', `/api/processes/${encodeURIComponent(process.name)}/${action}`, {});
      setSaid('Done.');
    } catch (error) {
      setSaid(error instanceof Failure ? error.message : String(error));
    }
  };
  return (
    <details className="process-menu">
      <summary>
        Do something to it<span className="visually-hidden">: {process.name}</span>
      </summary>
      <ul>
        {actionsFor(process).map((action) => (
          <li key={action}>
            <button
              type="button"
              className={action === 'kill' ? 'danger-button' : undefined}
              aria-describedby={`${id}${action}`}
              onClick={() => void run(action)}
            >
              {names[action]} <span className="visually-hidden">{process.name}</span>
            </button>
            <p id={`${id}${action}`} className="quiet">
              {consequence(action, process, stack)}
            </p>
          </li>
        ))}
      </ul>
      {(process.kind === 'app' || process.kind === 'embedded') && (
        <p>
          <Link to="/faults">Break a part of its work instead</Link>
        </p>
      )}
      <output className="said">{said}</output>
    </details>
  );
}
