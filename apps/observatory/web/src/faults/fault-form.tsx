import { useState, type FormEvent } from 'react';
import type { FaultOn, FaultView, FaultWanted } from '../../../src/api.ts';
import { Failure } from '../api/observatory.ts';
import { traineeId } from '../api/trainee.ts';
import { wholeMs } from '../words/numbers.ts';
import { Term } from '../words/term.tsx';
import { groupsOf, minutesOffered, standingOf, usualChoice, wantedOf, type Choice } from './wanted.ts';

interface FormProps {
  readonly fault: FaultView;
  /** All that are on now. */
  readonly on: readonly FaultOn[];
  readonly onWanted: (name: string, wanted: FaultWanted) => Promise<FaultOn>;
}

/** One fault: what it does, how strong, for whom, and for how long. */
export function FaultForm({ fault, on, onWanted }: FormProps) {
  const [choice, setChoice] = useState(() => usualChoice(fault));
  const [failure, setFailure] = useState('');
  const [own, setOwn] = useState<FaultOn>();
  const change = (part: Partial<Choice>): void => setChoice({ ...choice, ...part });
  const forAll = fault.reach === 'everybody' || choice.scope === 'everybody';
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    try {
      setFailure('');
      setOwn(await onWanted(fault.name, wantedOf(fault, choice, traineeId())));
    } catch (error) {
      setFailure(error instanceof Failure ? error.message : String(error));
    }
  };
  return (
    <li className="fault">
      <details name="fault">
        <summary>
          {fault.title} {fault.reach === 'everybody' && <span className="badge bad">everybody’s</span>}
        </summary>
        <p>{fault.explanation}</p>
        <form onSubmit={(event) => void submit(event)}>
          <Place fault={fault} choice={choice} change={change} />
          <Strength fault={fault} choice={choice} change={change} />
          <Scope fault={fault} choice={choice} change={change} />
          <label className="field">
            Ends by itself after
            <select value={choice.minutes} onChange={({ target }) => change({ minutes: Number(target.value) })}>
              {minutesOffered.map((minutes) => (
                <option key={minutes} value={minutes}>
                  {minutes === 1 ? '1 minute' : `${minutes} minutes`}
                </option>
              ))}
            </select>
          </label>
          <button type="submit" className={forAll ? 'danger-button' : 'primary'}>
            {forAll ? 'Switch on for everybody' : 'Switch on for me'}
          </button>
        </form>
        <output className="said">{failure || standingOf(own, on)}</output>
        <p className="quiet">
          The services ask for it in <code>{fault.file}</code>
        </p>
      </details>
    </li>
  );
}

interface PartProps {
  readonly fault: FaultView;
  readonly choice: Choice;
  readonly change: (part: Partial<Choice>) => void;
}

function Place({ fault: { at }, choice, change }: PartProps) {
  if (!at) return null;
  return (
    <label className="field">
      {
        {
          method: 'Method',
          service: 'Service',
          process: 'Process',
          topic: 'Topic',
          connection: 'Connection, from the first process to the second',
        }[at.what]
      }
      <select value={choice.at} onChange={({ target }) => change({ at: target.value })} required={at.needed}>
        {!at.needed && <option value="">every one</option>}
        {groupsOf(at.among).map(([group, names]) =>
          group === '' ? (
            names.map((name) => <option key={name}>{name}</option>)
          ) : (
            <optgroup key={group} label={group}>
              {names.map((name) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </optgroup>
          ),
        )}
      </select>
    </label>
  );
}

function Strength({ fault: { strength }, choice, change }: PartProps) {
  if (!strength) return null;
  return (
    <label className="field">
      How much, in ms
      <input
        type="number"
        min={strength.minMs}
        max={strength.maxMs}
        step={10}
        value={choice.strengthMs}
        onChange={({ target }) => change({ strengthMs: Number(target.value) })}
        required
      />
      <span className="quiet">
        {wholeMs(strength.minMs)} to {wholeMs(strength.maxMs)}
      </span>
    </label>
  );
}

function Scope({ fault, choice, change }: PartProps) {
  if (fault.reach === 'everybody')
    return (
      <p className="note problem">
        <span>
          <Term word="scope">Scope</Term>: <strong>everybody</strong> who uses this shop meets it. This fault cannot be for one person
          alone.
        </span>
      </p>
    );
  return (
    <fieldset className="choices scope">
      <legend>
        <Term word="scope">For whom</Term>
      </legend>
      {(['mine', 'everybody'] as const).map((scope) => (
        <label key={scope} className={scope}>
          <input type="radio" name={`scope-${fault.name}`} checked={choice.scope === scope} onChange={() => change({ scope })} />
          <span>{scope === 'mine' ? 'my requests alone' : 'everybody'}</span>
        </label>
      ))}
    </fieldset>
  );
}
