/** Sets up the one-time codes of an authenticator app, confirms them by a code, and turns them off. */
import { useRef, type FormEvent, type RefObject } from 'react';
import { useChangeOutcome } from './change-outcome.tsx';
import { CodeField } from '../sign-in/code-field.tsx';
import { textOf } from '../components/form.ts';
import { ProblemNote } from '../components/problem-note.tsx';
import { QrCode } from './qr-code.tsx';
import { useApi } from '../api/shop.tsx';
import { useToast } from '../components/toasts.tsx';
import { useChange } from './use-change.ts';

export function TwoStepSection({ active }: { readonly active: boolean }) {
  const { outcome, showsCodes, finish } = useChangeOutcome();
  const heading = useRef<HTMLHeadingElement>(null);
  return (
    <section aria-labelledby="two-step" className="sheet">
      <h2 id="two-step" ref={heading} tabIndex={-1}>
        Two-step sign-in {active && <span className="badge">On</span>}
      </h2>
      {outcome}
      {!showsCodes && (active ? <Active onDone={finish} /> : <SetUp heading={heading} onDone={finish} />)}
    </section>
  );
}

type Finish = ReturnType<typeof useChangeOutcome>['finish'];

interface SetUpProps {
  readonly heading: RefObject<HTMLHeadingElement | null>;
  readonly onDone: Finish;
}

function SetUp({ heading, onDone }: SetUpProps) {
  const api = useApi();
  const begin = useChange(() => api.beginTotp());
  const confirm = useChange(
    (code: string) => api.confirmTotp(code),
    (change) => onDone({ text: 'Two-step sign-in is on.', ...change }),
  );
  if (begin.data === undefined)
    return (
      <>
        <p>
          After your password, an app on your phone gives a code that changes every 30 seconds. A stolen password alone then opens nothing.
        </p>
        <ProblemNote error={begin.error} />
        <div className="row">
          <button type="button" className="primary" aria-busy={begin.isPending} onClick={() => !begin.isPending && begin.mutate(undefined)}>
            Set up two-step sign-in
          </button>
        </div>
      </>
    );
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    if (!confirm.isPending) confirm.mutate(textOf(new FormData(event.currentTarget), 'code'));
  };
  const cancel = (): void => {
    begin.reset();
    heading.current?.focus();
  };
  return (
    <form onSubmit={submit} className="stack">
      <ol className="steps">
        <li>
          <p>Scan this with an authenticator app, or type the key into it.</p>
          <Secret {...begin.data} />
        </li>
        <li>
          <ConfirmField />
        </li>
      </ol>
      <ProblemNote error={confirm.error} />
      <div className="row">
        <button className="primary" aria-busy={confirm.isPending}>
          Turn on
        </button>
        <button type="button" onClick={cancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}

/** The button before this field is gone, so the field takes the focus. A screen reader finds the key right above. */
function ConfirmField() {
  return (
    <div ref={(field) => field?.querySelector('input')?.focus({ preventScroll: true })}>
      <CodeField label="The code that the app shows now" />
    </div>
  );
}

function Secret({ secret, uri }: { readonly secret: string; readonly uri: string }) {
  const toast = useToast();
  const copy = (): void =>
    void navigator.clipboard.writeText(secret).then(
      () => toast({ text: 'The key is copied.' }),
      () => toast({ text: 'The browser did not let the key be copied. Select it instead.' }),
    );
  return (
    <div className="secret">
      <QrCode text={uri} label="QR code of the key below" />
      <div className="stack">
        <p>
          <span className="quiet">Key</span> <code className="secret-key">{secret.replace(/(.{4})(?=.)/g, '$1 ')}</code>
        </p>
        <div className="row">
          <button type="button" onClick={copy}>
            Copy the key
          </button>
        </div>
      </div>
    </div>
  );
}

function Active({ onDone }: { readonly onDone: Finish }) {
  const api = useApi();
  const turnOff = useChange(
    () => api.removeTotp(),
    (change) => onDone({ text: 'Two-step sign-in by app is off.', ...change }),
  );
  return (
    <>
      <p>After your password, the shop asks for a code of your authenticator app.</p>
      <ProblemNote error={turnOff.error} />
      <div className="row">
        <button type="button" aria-disabled={turnOff.isPending} onClick={() => !turnOff.isPending && turnOff.mutate(undefined)}>
          Turn off
        </button>
      </div>
    </>
  );
}
