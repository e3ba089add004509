import { useState, type ReactNode } from 'react';
import type { FactorChange } from '../api/api.types.ts';
import { EndOthersOffer } from './end-others-offer.tsx';
import { RecoveryCodes } from './recovery-codes.tsx';

/** The change that was just made, in words, with the gateway's answer. */
interface Done extends FactorChange {
  readonly text: string;
}

/** After a change of a factor the page first shows the new codes until they are saved. Then it offers to end the other sessions. */
export function useChangeOutcome(): {
  readonly outcome: ReactNode;
  /** The page shows codes, so the person should begin nothing else here. */
  readonly showsCodes: boolean;
  readonly finish: (done: Done) => void;
} {
  const [done, setDone] = useState<Done & { readonly number: number }>();
  const [codesSaved, setCodesSaved] = useState(false);
  const codes = done?.recoveryCodes ?? [];
  const showsCodes = codes.length > 0 && !codesSaved;
  const finish = (next: Done): void => {
    setCodesSaved(false);
    setDone((before) => ({ ...next, number: (before?.number ?? 0) + 1 }));
  };
  const offer = done && <EndOthersOffer key={done.number} done={done.text} otherSessions={done.otherSessions} />;
  return { outcome: showsCodes ? <RecoveryCodes codes={codes} onSaved={() => setCodesSaved(true)} /> : offer, showsCodes, finish };
}
