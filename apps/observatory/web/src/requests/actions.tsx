import { useState } from 'react';
import { Link } from 'react-router';
import type { RequestView } from '../../../src/api.ts';
import { useLive } from '../api/live.ts';
import { curlOf, mayRepeat } from './curl.ts';

export function Actions({ view }: { readonly view: RequestView }) {
  const { stack } = useLive();
  const gateway = gatewayUrl(stack, view.gateway);
  return (
    <section className="actions" aria-label="Do something with this request">
      <CopyButton text={gateway === undefined ? undefined : curlOf(view, gateway)} />
      <Repeat view={view} gateway={gateway} />
      <Link className="button" to="/forgeries">
        Try a forgery…
      </Link>
    </section>
  );
}

function gatewayUrl(stack: ReturnType<typeof useLive>['stack'], name: string): string | undefined {
  if (!stack) return undefined;
  const named = stack.processes.find((process) => process.name === name)?.url;
  return stack.gateways.find((url) => url === named) ?? stack.gateways[Number(/\d+$/.exec(name)?.[0] ?? 1) - 1] ?? stack.gateways[0];
}

/** A word that it was done stays for as long as one reads it. */
const saidMs = 2_500;

function CopyButton({ text }: { readonly text: string | undefined }) {
  const [said, setSaid] = useState('');
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text ?? '');
      setSaid('Copied. It reads your cookies from cookies.txt, and a write wants its body.');
    } catch {
      setSaid(text ?? '');
    }
    setTimeout(() => setSaid(''), saidMs * 2);
  };
  return (
    <>
      <button type="button" disabled={text === undefined} onClick={() => void copy()}>
        Copy as curl
      </button>
      <output className="said">{said}</output>
    </>
  );
}

function Repeat({ view, gateway }: { readonly view: RequestView; readonly gateway: string | undefined }) {
  if (gateway === undefined) return null;
  if (mayRepeat(view))
    return (
      <a className="button" href={gateway + view.name.slice('GET '.length)} target="_blank" rel="noreferrer">
        Repeat <span className="visually-hidden">in another window</span>
        <span aria-hidden="true">↗</span>
      </a>
    );
  return (
    <>
      <button type="button" disabled aria-describedby="no-repeat">
        Repeat
      </button>
      <p id="no-repeat" className="quiet reason">
        A write is repeated in the shop: the Observatory keeps no bodies, so that it cannot tell anybody a password.
      </p>
    </>
  );
}
