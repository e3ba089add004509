/**
 * The properties of a run: each is a line in the report, held or broken. The checker's properties are in libs/testing/src/history/history.check.ts.
 */
import type { Anomaly } from '@cloakroom/testing';

export const properties: Readonly<Record<string, string>> = {
  lost: 'what was acknowledged stays until something that had seen it removes it',
  resurrected: 'what was removed stays away',
  doubled: 'what was asked for once counts once',
  'refused-but-happened': 'a refusal is a refusal',
  foreign: "nobody sees another's cart or orders",
  'stale-unmarked': 'a read is not older than the position that it brought, or says so',
  'went-back': 'what one device has seen stays seen, where it brings how far that was',
  late: 'on a healthy system everything shows within a bound',
  diverged: 'once mended, all devices see the same cart at every gateway',
  'not-converged': 'once mended, nothing is left to wait for',
  'ordered-twice': 'one order for a dot',
  'two-orders': 'one order for a key',
  'order-inexact': 'an order is of exactly what was seen',
  'ordered-stays': 'a cart lets go of what was ordered',
  'charged-wrong': 'nobody pays another amount than agreed to, or twice',
  oversold: 'nothing is sold that is not there',
  'revoked-accepted': 'an ended session is refused everywhere within its bound',
  'not-healed': 'once mended, every part is well within 90 s',
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
