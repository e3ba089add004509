import { useEffect, useRef, useState } from 'react';
import { useToast } from '../components/toasts.tsx';
import { useUnsavedCodes } from './unsaved.ts';

/** The page shows the codes only once, because auth keeps only their hashes. So the person confirms that they saved them before they leave. */
export function RecoveryCodes({ codes, onSaved }: { readonly codes: readonly string[]; readonly onSaved: () => void }) {
  const toast = useToast();
  const heading = useRef<HTMLHeadingElement>(null);
  const [saved, setSaved] = useState(false);
  useUnsavedCodes();
  useEffect(() => heading.current?.focus(), []);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(codes.join('\n'));
      toast({ text: 'The codes are copied.' });
    } catch {
      toast({ text: 'The browser did not let them be copied. Select them, or download them.' });
    }
  };
  return (
    <div className="inset stack">
      <h3 ref={heading} tabIndex={-1}>
        Your recovery codes
      </h3>
      <p>Each opens your account once when your phone is lost. Keep them where you keep what matters: they are not shown again.</p>
      <ul className="codes" aria-label="Recovery codes">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <div className="row">
        <button type="button" onClick={() => void copy()}>
          Copy
        </button>
        <button type="button" onClick={() => download(codes)}>
          Download
        </button>
      </div>
      <label className="check">
        <input type="checkbox" checked={saved} onChange={(event) => setSaved(event.currentTarget.checked)} />I saved them
      </label>
      <div className="row">
        <button type="button" className="primary" aria-disabled={!saved} onClick={() => saved && onSaved()}>
          Done
        </button>
      </div>
    </div>
  );
}

const revokeDelayMs = 10_000;

function download(codes: readonly string[]): void {
  const text = ['Recovery codes of your Cloakroom account. Each is good once.', '', ...codes, ''].join('\n');
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  const link = Object.assign(document.createElement('a'), { href: url, download: 'cloakroom-recovery-codes.txt' });
  link.click();
  // By then the browser has read the file.
  setTimeout(() => URL.revokeObjectURL(url), revokeDelayMs);
}
