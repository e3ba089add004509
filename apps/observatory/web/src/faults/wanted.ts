import type { FaultOn, FaultView, FaultWanted } from '../../../src/api.ts';

/** What a person chose in the form of a fault. */
export interface Choice {
  readonly scope: 'mine' | 'everybody';
  readonly strengthMs: number;
  readonly at: string;
  readonly minutes: number;
}

export const minutesOffered = [1, 2, 5, 10] as const;

export const usualChoice = (fault: FaultView): Choice => ({
  scope: fault.reach === 'mine' ? 'mine' : 'everybody',
  strengthMs: fault.strength?.usualMs ?? 0,
  at: fault.at?.needed === true ? (likelyFor(fault.name).find((one) => fault.at?.among.includes(one)) ?? fault.at.among[0] ?? '') : '',
  minutes: 2,
});

/** What a trainee tries first: something that shows on the page of the shop. */
const likelyFor = (name: FaultView['name']): readonly string[] =>
  // Only a write can have an unknown outcome.
  name === 'rpc-answer-lost' ? ['CartService/AddItem'] : ['CartService/GetCart', 'gateway-1', 'gateway-1:cart'];

/** The fault decides over its scope: one person's record cannot be held without its partition. */
export function wantedOf(fault: FaultView, { scope, strengthMs, at, minutes }: Choice, trainee: string): FaultWanted {
  const whom: Pick<FaultWanted, 'mine' | 'everybody'> =
    fault.reach === 'everybody' || scope === 'everybody' ? { everybody: true } : { mine: trainee };
  return { ...whom, ...(fault.strength && { strengthMs }), ...(fault.at && at !== '' && { at }), forMs: minutes * 60_000 };
}

/** The words of a fault’s card about the switch that was made there last. Somebody may have ended it meanwhile. */
export function standingOf(own: FaultOn | undefined, on: readonly FaultOn[]): string {
  if (own === undefined) return '';
  if (!on.some(({ id }) => id === own.id)) return 'It is over.';
  return `On. Now use the shop${own.mine === undefined ? '' : ' in this browser'}, and look at the request.`;
}

/** "CartService/GetCart" stands with its service. Other places stand by themselves. */
export const groupsOf = (among: readonly string[]): readonly (readonly [group: string, names: readonly string[]])[] => [
  ...Map.groupBy(among, (name) => (name.includes('/') ? (name.split('/')[0] ?? '') : '')),
];
