import { useEffect, useRef } from 'react';
import type { CartLogView } from '../../../src/api.ts';
import { type Reading, useReading } from '../api/use-reading.ts';

/** Two programs take turns with other pages, on a machine that may be busy. */
const readTimeoutMs = 20_000;

/**
 * The log is read by a program of cart's own, which takes a second. So it is read again only when this person has done something.
 * @param cartId undefined: there is nothing to read yet
 * @param newest changes with each request of the cart's owner
 * @param region whose logs, where there are two
 */
export function useCartLog(cartId: string | undefined, newest: unknown, region?: string): Reading<CartLogView> {
  const of = region === undefined ? '' : `?region=${region}`;
  const reading = useReading<CartLogView>(
    cartId === undefined ? undefined : `/api/carts/${encodeURIComponent(cartId)}${of}`,
    undefined,
    region === undefined ? undefined : readTimeoutMs,
  );
  const { reread } = reading;
  const readFor = useRef(newest);
  useEffect(() => {
    if (readFor.current === newest) return;
    readFor.current = newest;
    void reread();
  }, [newest, reread]);
  return reading;
}
