/**
 * The properties of a run: each is a line in the report, held or broken. The checker's properties are in libs/testing/src/history/history.check.ts.
 */
import type { Anomaly } from '@cloakroom/testing';

export const properties: Readonly<Record<string, string>> = {
  lost: 'an acknowledged command stays until something that had seen it removes it',
  resurrected: 'a removed product stays away',
  doubled: 'a command counts once',
  'refused-but-happened': 'a refused command does not happen',
  foreign: "no person sees another person's cart or orders",
  'stale-unmarked': 'a read is not older than the position that it brought, or is marked as stale',
  'went-back': 'a device that sends its position never sees an older cart than before',
  late: 'on a healthy system everything shows within a bound',
  diverged: 'after repair all devices see the same cart at every gateway',
  'not-converged': 'after repair nothing is left to wait for',
  'ordered-twice': 'one order for a dot',
  'two-orders': 'one order for a key',
  'order-inexact': 'an order has exactly the dots that were seen',
  'ordered-stays': 'ordered dots leave the cart',
  'charged-wrong': 'a person pays the agreed amount, once',
  oversold: 'a product that is not in stock is not sold',
  'revoked-accepted': 'every gateway refuses an ended session within its bound',
  'not-healed': 'after repair every part is well within 90 s',
  clients: 'every call of a client ends',
  untried: 'clients repeated commands across a sign-in, a sign-out, a lost answer and another gateway',
};

/** An anomaly of a kind that the list does not know counts as broken too. */
export function propertyLines(anomalies: readonly Anomaly[]): string[] {
  const count = (kind: string): number => anomalies.filter((one) => one.kind === kind).length;
  const kinds = new Set([...Object.keys(properties), ...anomalies.map(({ kind }) => kind)]);
  const width = Math.max(...[...kinds].map(({ length }) => length));
  return [...kinds].map((kind) => `${count(kind) === 0 ? 'held  ' : 'BROKEN'}  ${kind.padEnd(width)}  ${properties[kind] ?? ''}`.trimEnd());
}
