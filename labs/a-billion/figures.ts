/** The simulator's figures, each read from a published benchmark or from the code that promises it. None is typed here. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { accessTokenLifetimeMaxS, credentialLifetimeMs, rememberedCountMax } from '@cloakroom/identity';
import { limits } from '@cloakroom/session';
import { entryCountMax, jitterPart, lifeMaxMs, marginMs } from '../../apps/gateway/src/identity/identity-cache.ts';
import { publishedDir } from '../bench/measuring/report.ts';
import { median } from '../bench/measuring/statistics.ts';
import type { FeedMeasured } from '../bench/sessions/feed.ts';
import type { Figures } from './simulator.ts';

interface Published<Data> {
  readonly data: Data;
  readonly machine: { readonly at: string; readonly commit: string };
}
interface StoreData {
  readonly bytes: { readonly parts: Readonly<Record<string, number>> };
  readonly bytesOfAll: readonly { readonly sessionCount: number; readonly bytesEach: number }[];
  /** `resolvePerSecond`: a report from before each block had its CPU. */
  readonly reads: readonly {
    readonly sessionCount: number;
    readonly concurrency: number;
    readonly pairs: readonly { readonly resolve?: { readonly perSecond: number }; readonly resolvePerSecond?: number }[];
  }[];
}
interface EdgeData {
  readonly saturated: Readonly<Record<string, readonly { readonly cpuUs: Readonly<Record<string, number>> }[]>>;
}
interface RevocationData {
  readonly trials: readonly { readonly where: string; readonly mode: string; readonly p99: number }[];
  readonly cuts: readonly { readonly max: number }[];
}

interface Figure {
  readonly value: number;
  readonly source: string;
}

/** @throws Error where a published benchmark lacks a figure */
export function readFigures(dir = publishedDir): Figures {
  const figures: Figures = { ...measuredFigures(dir), ...promisedFigures() };
  for (const [name, { value, source }] of Object.entries(figures))
    if (!Number.isFinite(value)) throw new Error(`the simulator finds no ${name} in ${source}`);
  return figures;
}

function measuredFigures(dir: string) {
  const store = read<StoreData>(dir, 'store');
  const edge = read<EdgeData>(dir, 'edge');
  const revocation = read<RevocationData>(dir, 'revocation');
  const feed = read<FeedMeasured>(dir, 'feed');
  const { data } = store;
  const most = data.bytesOfAll.at(-1)!;
  const fastest = data.reads.filter(({ sessionCount }) => sessionCount === most.sessionCount).at(-1);
  const readRates = fastest?.pairs.map(({ resolve, resolvePerSecond }) => resolve?.perSecond ?? resolvePerSecond ?? Number.NaN) ?? [];
  const spent = (point: string, process: string): Figure =>
    edge.figure(
      median(edge.data.saturated[point]?.map(({ cpuUs }) => cpuUs[process] ?? Number.NaN) ?? []),
      `${point}, saturated, ${process}`,
    );
  const heard = revocation.data.trials.find(({ where, mode }) => where === 'gateway-2' && mode === 'hybrid');
  return {
    sessionBytes: store.figure(most.bytesEach, `memory of ${most.sessionCount} sessions`),
    tombstoneBytes: store.figure(data.bytes.parts['tombstone'], 'bytes, tombstone'),
    readsPerSecond: store.figure(median(readRates), `reading, ${fastest?.concurrency} in flight`),
    gatewayWarmUs: spent('hybrid warm', 'gateway-1'),
    gatewayAskedUs: spent('reference', 'gateway-1'),
    gatewayTokenUs: spent('jwt-denylist warm', 'gateway-1'),
    authUs: spent('reference', 'auth'),
    storeUs: spent('reference', 'redis-sessions'),
    backendUs: spent('hybrid warm', 'backend'),
    heardMs: revocation.figure(heard?.p99, 'hybrid at gateway-2, p99'),
    cutMs: revocation.figure(Math.max(...revocation.data.cuts.map(({ max }) => max)), 'feed cut, max'),
    recordBytes: feed.figure(feed.data.recordBytes, 'one revocation'),
    beatBytes: feed.figure(feed.data.beatBytes, 'one heartbeat'),
    verifyUs: feed.figure(feed.data.hearUs, 'a reader hears one'),
  };
}

function promisedFigures() {
  const cache = 'apps/gateway/src/identity/identity-cache.ts';
  const feed = 'libs/identity/src/revocation-feed.ts';
  const session = 'libs/session/src/session.limits.ts';
  return {
    freshS: { value: ((lifeMaxMs - marginMs) * (1 - jitterPart / 2)) / 1_000, source: cache },
    roomCount: { value: entryCountMax, source: cache },
    rememberS: { value: credentialLifetimeMs / 1_000, source: feed },
    rememberedMax: { value: rememberedCountMax, source: feed },
    accessS: { value: accessTokenLifetimeMaxS, source: 'libs/identity/src/access-token.ts' },
    touchS: { value: limits.touchIntervalMs / 1_000, source: session },
    tombstoneS: { value: limits.user.absoluteTimeoutMs / 1_000, source: session },
  };
}

function read<Data>(dir: string, name: string): { readonly data: Data; figure(value: number | undefined, what: string): Figure } {
  const { data, machine } = JSON.parse(readFileSync(join(dir, `${name}.json`), 'utf8')) as Published<Data>;
  const source = `docs/bench/${name}.json of ${machine.at.slice(0, 10)}, commit ${machine.commit}`;
  return { data, figure: (value = Number.NaN, what) => ({ value, source: `${source}: ${what}` }) };
}
