import type { ForgeryResult } from '../../../src/api.ts';
import { ms } from '../words/numbers.ts';

export function outcomeWords({ outcome, laterMs }: Pick<ForgeryResult, 'outcome' | 'laterMs'>): string {
  switch (outcome) {
    case 'refused':
      return 'It was refused.';
    case 'accepted':
      return 'It was accepted. That is a hole: tell the maintainers.';
    case 'later':
      return `It cannot be sent yet${laterMs === undefined ? '' : `: try again in ${ms(laterMs)}`}.`;
    default:
      return 'Nothing was sent.';
  }
}

export const toneOf = ({ outcome }: Pick<ForgeryResult, 'outcome'>): 'good' | 'problem' | 'notice' =>
  outcome === 'refused' ? 'good' : outcome === 'accepted' ? 'problem' : 'notice';

export interface ComparedClaim {
  readonly name: string;
  readonly sent: string;
  readonly honest: string;
  readonly differs: boolean;
}

/** The header has no honest side: it says only how the signature was made. */
export function comparedClaims({ sent, genuine }: Pick<ForgeryResult, 'sent' | 'genuine'>): readonly ComparedClaim[] {
  if (!sent) return [];
  const header = Object.entries(sent.header).map(([name, value]) => ({
    name: `header ${name}`,
    sent: textOf(value),
    honest: '',
    differs: false,
  }));
  const names = new Set([...Object.keys(sent.claims), ...Object.keys(genuine ?? {})]);
  const claims = [...names].map((name) => {
    const [forged, honest] = [textOf(sent.claims[name]), textOf(genuine?.[name])];
    return { name, sent: forged, honest, differs: genuine !== undefined && forged !== honest };
  });
  return [...header, ...claims];
}

function textOf(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
