import { useId, useState } from 'react';
import type { PrimaryKillView, ReadsView, SlotMoveView, SlotNodeView, SlotSessionView, SlotsView } from '../../../src/api.ts';
import { act, Failure } from '../api/observatory.ts';
import { traineeId } from '../api/trainee.ts';
import { useReading } from '../api/use-reading.ts';
import { ms, shortId } from '../words/numbers.ts';

const rereadMs = 2_000;
/** A move or a kill is answered with its outage: up to 20 accounts until one lies there, and then reads for up to 30 s. */
const measuredTimeoutMs = 120_000;

/** Where my sessions lie in the Redis cluster, and two things to do to it. */
export function Slots() {
  const { value, reread } = useReading<SlotsView>(`/api/places/slots?mine=${encodeURIComponent(traineeId())}`, rereadMs);
  const [said, setSaid] = useState('');
  if (value === undefined) return null;
  if (value.nodes.length === 0)
    return (
      <p className="quiet">
        Sessions lie in one Redis here. To see them in a cluster, with slots that move and primaries that die, start{' '}
        <code>npm start -- --infra native --profile cluster</code>.
      </p>
    );
  const run = async (work: () => Promise<string>): Promise<void> => {
    setSaid('Done in a moment: reads go on until all is calm again …');
    setSaid(await work().catch((error: unknown) => (error instanceof Failure ? error.message : String(error))));
    await reread();
  };
  const move = (slot: number) => () => act<SlotMoveView>('POST', `/api/places/slots/${slot}/move`, {}, measuredTimeoutMs).then(wordsOfMove);
  const kill = (name: string) => () =>
    act<PrimaryKillView>('POST', `/api/places/primaries/${encodeURIComponent(name)}/kill`, {}, measuredTimeoutMs).then(wordsOfKill);
  return (
    <section aria-labelledby="slots" className="card slots">
      <h2 id="slots">The sessions’ Redis cluster</h2>
      <p>
        A key belongs to one of 16,384 slots, by a hash of the tag in it. All keys of one person have the same tag, so they lie together. A
        slot has one primary at a time, and a replica copies it.
      </p>
      <p className="note problem">
        <span>
          Moving a slot and killing a primary meet <strong>everybody</strong> whose session lies there. How long it could not be read is
          measured with a session of a throw-away account.
        </span>
      </p>
      <Sessions sessions={value.sessions} onMove={(slot) => void run(move(slot))} />
      <output className="said">{said}</output>
      <Nodes nodes={value.nodes} onKill={(name) => void run(kill(name))} />
    </section>
  );
}

function Sessions({ sessions, onMove }: { readonly sessions: readonly SlotSessionView[]; readonly onMove: (slot: number) => void }) {
  if (sessions.length === 0)
    return <p className="quiet">Do something in the shop, on this browser: then your session’s slot stands here.</p>;
  return (
    <ul className="slot-sessions">
      {sessions.map(({ handle, subject, tag, slot, primary, replica }) => (
        <li key={handle}>
          <span>
            Your session {shortId(handle)} ({subject?.startsWith('u_') ? 'user' : 'guest'}) has the tag <code>{tag}</code>: slot{' '}
            <strong>{slot.toLocaleString('en')}</strong>, {primary === undefined ? 'whose primary does not answer now' : `at ${primary}`}
            {replica !== undefined && `, copied by ${replica}`}.
          </span>
          {primary !== undefined && <Asked label="Move this slot" about={`of session ${shortId(handle)}`} onYes={() => onMove(slot)} />}
        </li>
      ))}
    </ul>
  );
}

function Nodes({ nodes, onKill }: { readonly nodes: readonly SlotNodeView[]; readonly onKill: (name: string) => void }) {
  return (
    <div className="table">
      <table>
        <caption className="visually-hidden">Nodes of the Redis cluster</caption>
        <thead>
          <tr>
            <th scope="col">Process</th>
            <th scope="col">Role</th>
            <th scope="col" className="number">
              Slots
            </th>
            <th scope="col" className="number">
              Keys
            </th>
            <th scope="col">Break it</th>
          </tr>
        </thead>
        <tbody>
          {nodes.map(({ process, role, of, slotCount, keyCount }) => (
            <tr key={process}>
              <th scope="row">{process}</th>
              <td data-label="Role">{role === 'replica' ? `replica of ${of ?? 'nobody'}` : role}</td>
              <td className="number" data-label="Slots">
                {role === 'no answer' ? '–' : slotCount.toLocaleString('en')}
              </td>
              <td className="number" data-label="Keys">
                {keyCount ?? '–'}
              </td>
              <td>
                {role === 'primary' && slotCount > 0 && <Asked label="Kill this primary" about={process} onYes={() => onKill(process)} />}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** It meets everybody, so it asks first. */
function Asked({ label, about, onYes }: { readonly label: string; readonly about: string; readonly onYes: () => void }) {
  const id = useId();
  const [asking, setAsking] = useState(false);
  if (!asking)
    return (
      <button type="button" className="danger-button" onClick={() => setAsking(true)}>
        {label} <span className="visually-hidden">{about}</span>
      </button>
    );
  return (
    <fieldset className="asked" aria-labelledby={id}>
      <span id={id}>{label}, for everybody?</span>
      <button
        type="button"
        className="danger-button"
        onClick={() => {
          setAsking(false);
          onYes();
        }}
      >
        Yes
      </button>
      <button type="button" onClick={() => setAsking(false)}>
        No
      </button>
    </fieldset>
  );
}

function wordsOfReads({ count, failed, outageMs }: ReadsView): string {
  if (failed === 0) return `None of ${count} reads through the shop failed.`;
  if (outageMs === undefined) return `${failed} of ${count} reads through the shop failed, and none succeeded after them within 30 s.`;
  return `${failed} of ${count} reads through the shop failed: ${ms(outageMs)} from the first failure to the first success after it.`;
}

const wordsOfMove = ({ slot, from, to, keyCount, durationMs, reads }: SlotMoveView): string =>
  `Slot ${slot.toLocaleString('en')} moved from ${from} to ${to}, with ${keyCount} ${keyCount === 1 ? 'key' : 'keys'}, in ${ms(durationMs)}. ${wordsOfReads(reads)}`;

const wordsOfKill = ({ process, successor, reads }: PrimaryKillView): string =>
  `${process} was killed. ${successor === undefined ? 'No primary serves its slots yet.' : successor === process ? 'It came back as primary before its replica took over.' : `${successor} is primary now.`} ${wordsOfReads(reads)}`;
