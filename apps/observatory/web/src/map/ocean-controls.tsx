/** The buttons of the ocean. What happened is told by the ocean itself: by its answer, and each second by the stack. */
import { useId, useState, type FormEvent } from 'react';
import type { OceanCommand, OceanStatus } from '@cloakroom/contracts';
import { sawOcean } from '../api/live.ts';
import { act, Failure } from '../api/observatory.ts';
import { clockTime } from '../words/numbers.ts';
import { actionsOfBoth, type OceanAction } from './ocean-actions.ts';
import { wordsOfOcean } from './sea-words.ts';

export interface Teller {
  /** Gives a command. The answer is shown beside the button that was pressed last: an older one may be true no more. */
  readonly tell: (command: OceanCommand, place: string) => Promise<void>;
  readonly saidAt: (place: string) => string;
}

export function useTeller(): Teller {
  const [last, setLast] = useState({ place: '', said: '' });
  return {
    tell: async (command, place) => {
      setLast({ place, said: 'Asked …' });
      setLast({ place, said: await tellOcean(command) });
    },
    saidAt: (place) => (last.place === place ? last.said : ''),
  };
}

/** @returns the ocean's word after the command, or why there is none */
async function tellOcean(command: OceanCommand): Promise<string> {
  try {
    const status = await act<OceanStatus>('POST', '/api/ocean', command);
    sawOcean(status);
    return `At ${clockTime(Date.now())} the ocean said: ${wordsOfOcean(status)}`;
  } catch (error) {
    return error instanceof Failure ? error.message : String(error);
  }
}

export interface OceanProps {
  /** Undefined while the ocean does not answer. */
  readonly status: OceanStatus | undefined;
  readonly teller: Teller;
}

export function OceanActions({ actions, status, teller }: OceanProps & { readonly actions: readonly OceanAction[] }) {
  const id = useId();
  return (
    <>
      <ul className="ocean-actions">
        {actions.map(({ name, does, command, inForce }, index) => (
          <li key={name}>
            <span className="ocean-button">
              <button
                type="button"
                className={command.do === 'heal' ? 'primary' : 'danger-button'}
                aria-describedby={`${id}${index}`}
                onClick={() => void teller.tell(command, id)}
              >
                {name}
              </button>
              {status !== undefined && inForce(status) && (
                <span className={command.do === 'heal' ? 'badge' : 'badge bad'}>{command.do === 'heal' ? 'healed' : 'in force'}</span>
              )}
            </span>
            <p id={`${id}${index}`} className="quiet">
              {does}
            </p>
          </li>
        ))}
      </ul>
      <output className="said">{teller.saidAt(id)}</output>
    </>
  );
}

/** What is done to both ways at once. */
export function BothWays(props: OceanProps) {
  return (
    <section className="sea-way" aria-label="Both ways">
      <h3>Both ways</h3>
      <OceanActions actions={actionsOfBoth} {...props} />
      <RoundTrip {...props} />
    </section>
  );
}

function RoundTrip({ status, teller }: OceanProps) {
  const id = useId();
  const [draft, setDraft] = useState<string>();
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    await teller.tell({ do: 'rtt', rttMs: Number(draft ?? status?.rttMs) }, id);
    // From here on the field shows what the ocean says.
    setDraft(undefined);
  };
  return (
    <form className="round-trip" onSubmit={(event) => void submit(event)}>
      <label className="field">
        Round trip, in ms
        <input
          type="number"
          min={0}
          max={status?.rttMaxMs}
          step={1}
          required
          value={draft ?? status?.rttMs ?? ''}
          onChange={({ target }) => setDraft(target.value)}
          aria-describedby={id}
        />
      </label>
      <button type="submit">
        Set<span className="visually-hidden"> the round trip</span>
      </button>
      <p id={id} className="quiet">
        Half of it passes each way. A new connection pays for its handshake too, so its first answer takes two round trips.
      </p>
      <output className="said">{teller.saidAt(id)}</output>
    </form>
  );
}
