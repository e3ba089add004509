import { useEffect, useRef, useState } from 'react';

interface AskFirstProps {
  /** The name of the button that asks. */
  readonly words: string;
  readonly label?: string;
  readonly className?: string;
  /** Undefined: the button acts at once, without a question. */
  readonly question: string | undefined;
  readonly yes: string;
  readonly no: string;
  readonly busy: boolean;
  readonly onYes: () => void;
}

/** A button that asks before it acts. The question takes its place and the focus. Afterwards the button gets the focus back. */
export function AskFirst({ words, label, className, question, yes, no, busy, onYes }: AskFirstProps) {
  const [asks, setAsks] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const group = useRef<HTMLFieldSetElement>(null);
  const wasAsking = useRef(false);
  useEffect(() => {
    if (asks) group.current?.focus();
    else if (wasAsking.current) button.current?.focus();
    wasAsking.current = asks;
  }, [asks]);
  const press = (): void => {
    if (busy) return;
    if (question === undefined) onYes();
    else setAsks(true);
  };
  if (asks && question !== undefined)
    return (
      <fieldset ref={group} className="ask-first" tabIndex={-1} aria-label={question}>
        <span aria-hidden="true">{question}</span>
        <div className="row">
          <button type="button" className="danger-button" onClick={() => (setAsks(false), onYes())}>
            {yes}
          </button>
          <button type="button" onClick={() => setAsks(false)}>
            {no}
          </button>
        </div>
      </fieldset>
    );
  return (
    <button ref={button} type="button" className={className} aria-label={label} aria-disabled={busy} onClick={press}>
      {words}
    </button>
  );
}
