import { useLayoutEffect, useRef, useState } from 'react';
import type { LogLineView, LogView } from '../../../src/api.ts';
import { useReading } from '../api/use-reading.ts';
import { clockTime } from '../words/numbers.ts';

/** Often enough to see the line that one's own action made. */
const rereadMs = 2_000;

/** The last lines of a process' log. They are read only while somebody looks. */
export function ProcessLog({ name }: { readonly name: string }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details className="process-menu" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>
        Its last log lines<span className="visually-hidden">: {name}</span>
      </summary>
      {isOpen && <Lines name={name} />}
    </details>
  );
}

function Lines({ name }: { readonly name: string }) {
  const { value, failure } = useReading<LogView>(`/api/processes/${encodeURIComponent(name)}/log`, rereadMs);
  const box = useRef<HTMLElement>(null);
  const newest = value?.lines.at(-1)?.text;
  useLayoutEffect(() => {
    // The newest line is last, and is what a person wants to see.
    box.current?.scrollTo({ top: box.current.scrollHeight });
  }, [newest, value?.lines.length]);
  if (value === undefined) return <p className="quiet">{failure?.message ?? 'Reading …'}</p>;
  if (value.lines.length === 0) return <p className="quiet">It has written nothing yet.</p>;
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- the keyboard must reach a box that scrolls
    <section ref={box} className="log-lines" aria-label={`Log of ${name}`} tabIndex={0}>
      <ol>
        {value.cut && <li className="quiet">… older lines are in the file</li>}
        {value.lines.map((line, index) => (
          <Line key={index} line={line} />
        ))}
      </ol>
    </section>
  );
}

function Line({ line: { atMs, level, text } }: { readonly line: LogLineView }) {
  const tone = level === 'error' || level === 'fatal' ? 'error' : level === 'warn' ? 'warn' : undefined;
  return (
    <li className={tone}>
      {atMs !== undefined && <time dateTime={new Date(atMs).toISOString()}>{clockTime(atMs)} </time>}
      {level !== undefined && <span className="level">{level} </span>}
      {text}
    </li>
  );
}
