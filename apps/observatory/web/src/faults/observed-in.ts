import type { BlastOperation } from '../../../src/api.ts';
import { ms, percent } from '../words/numbers.ts';

/** Below this the slowest one percent is one request. */
const p99CountMin = 100;

/** A line about one operation: how many requests worked, how long they took, and the refusals. */
export function observedIn({ observed, agrees }: Pick<BlastOperation, 'observed' | 'agrees'>): string {
  if (!observed) return 'nobody asked';
  const { count, successPart, p99Ms, refusals } = observed;
  const requests = count === 1 ? '1 request' : `${count} requests`;
  const time = count >= p99CountMin ? `p99 ${ms(p99Ms)}` : count === 1 ? `took ${ms(p99Ms)}` : `the slowest took ${ms(p99Ms)}`;
  const refused = refusals.map((one) => `${one.count} × ${one.code}`).join(', ');
  return [`${percent(successPart)} of ${requests} worked`, time, refused, agrees === undefined ? 'not judged' : '']
    .filter(Boolean)
    .join(' · ');
}
