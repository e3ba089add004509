/** Reads the values of options that several commands take. It works before the first build. */
import type { TokenModeName } from '@cloakroom/contracts';
import { InvalidArgumentError } from 'commander';
import { rttMaxMs } from '../ocean/ocean.types.ts';
import { httpPortsOf, portSpan } from '../stack/stack.ts';

/** Ports above 1024 that the Fetch standard blocks, since other protocols own them ("port blocking"). */
const blockedPorts = new Set([
  1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
]);

/** @returns the first port that browsers and fetch refuse */
export const blockedPortAmong = (ports: readonly number[]): number | undefined => ports.find((port) => blockedPorts.has(port));

export function portBase(text: string): number {
  const value = Number(text);
  const highest = 65_000 - portSpan;
  if (!Number.isInteger(value) || value < 1024 || value > highest) throw new InvalidArgumentError(`a number from 1024 to ${highest}`);
  const blocked = blockedPortAmong(httpPortsOf(value));
  if (blocked !== undefined) throw new InvalidArgumentError(`browsers and fetch refuse port ${blocked}, which this base would use`);
  return value;
}

/** The compiler compares them with libs/contracts. They are not imported, as `--help` works before the first build. */
export const tokenModes = Object.keys({ reference: 1, hybrid: 1, jwt: 1, 'jwt-denylist': 1 } satisfies Record<TokenModeName, 1>);

export function sessionModes(text: string): string {
  const unknown = text.split(',').find((mode) => !tokenModes.some((known) => known === mode));
  if (unknown !== undefined) throw new InvalidArgumentError(`${unknown} is not one of ${tokenModes.join(', ')}`);
  return text;
}

/** Milliseconds of "200ms", "2s" or "2m". */
export function timeSpan(text: string): number {
  const [, count, unit] = /^(\d{1,7})(ms|s|m)$/.exec(text) ?? [];
  if (count === undefined) throw new InvalidArgumentError('a time like 200ms, 2s or 2m');
  return Number(count) * { ms: 1, s: 1_000, m: 60_000 }[unit as 'ms' | 's' | 'm'];
}

/** Milliseconds from one region to the other and back. */
export function oceanRtt(text: string): number {
  const ms = timeSpan(text);
  if (ms > rttMaxMs) throw new InvalidArgumentError(`a time up to ${rttMaxMs / 1_000}s`);
  return ms;
}
