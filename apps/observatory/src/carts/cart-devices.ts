/** The state of one cart that each device has seen, out of the spans of its reads and commands. A device is known by its session. */
import { observed } from '@cloakroom/contracts';
import type { CartDeviceView } from './cart-log-view.ts';
import type { StoredSpan } from '../span.ts';

/** As many as a page can show. The last seen count. */
const deviceCountMax = 12;

/** @param region whose log the offsets are of; undefined where there is one region */
export function cartDevices(spans: readonly StoredSpan[], cartId: string, experiment: string, region?: string): CartDeviceView[] {
  const told = spans.filter(
    ({ attributes }) =>
      attributes[observed.cartId] === cartId &&
      positionsIn(attributes).length > 0 &&
      (region === undefined || attributes[observed.region] === region),
  );
  const bySession = Map.groupBy(told, ({ attributes }) => attributes[observed.session]);
  const devices = [...bySession].flatMap(([session, own]) =>
    typeof session === 'string' ? [deviceOf(session, own, spans, experiment)] : [],
  );
  return devices.toSorted((a, b) => b.lastAtMs - a.lastAtMs).slice(0, deviceCountMax);
}

function deviceOf(session: string, told: readonly StoredSpan[], spans: readonly StoredSpan[], experiment: string): CartDeviceView {
  const newestFirst = told.toSorted((a, b) => b.endMs - a.endMs);
  const read = newestFirst.find(({ attributes }) => attributes[observed.cartShown] !== undefined);
  const knows = told.flatMap(({ attributes }) => positionsIn(attributes));
  // The gateway alone hears how the browser calls itself.
  const label = spans.find(({ attributes }) => attributes[observed.session] === session && attributes[observed.device] !== undefined);
  return {
    session,
    device: label && String(label.attributes[observed.device]),
    isMine: told.some(({ attributes }) => attributes[observed.experiment] === experiment),
    lastAtMs: newestFirst[0]!.endMs,
    shown: read && { offset: String(read.attributes[observed.cartShown]), atMs: read.endMs, traceId: read.traceId },
    token: String(knows.reduce((most, one) => (one > most ? one : most))),
  };
}

/** One call: the offsets that it asked for, was shown, and wrote. */
function positionsIn(attributes: StoredSpan['attributes']): bigint[] {
  return [observed.cartAsked, observed.cartShown, observed.cartWritten].flatMap((name) => {
    const value = attributes[name];
    return typeof value === 'string' && /^\d+$/.test(value) ? [BigInt(value)] : [];
  });
}
