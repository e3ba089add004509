/**
 * The partitions of carts and the lag of each reader, out of the metrics that every process tells anyway. The Observatory joins no group for it,
 * because a member more would move partitions.
 */
import { type LinkedProcess, revocationLeaseMs } from '@cloakroom/contracts';
import type { LeasesView, LeaseView, PartitionView, PlacesView, ReaderView } from './places-view.ts';

const answerTimeoutMs = 2_000;

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Told {
  readonly name: string;
  readonly region: string | undefined;
  readonly samples: readonly Sample[];
}

/** One process' word. In embedded the services share one registry, so one of its doors is enough. */
const toldBy = (processes: readonly LinkedProcess[]): Promise<Told[]> =>
  Promise.all(
    processes
      .filter(({ state, readyUrls }) => state === 'ready' && readyUrls.length > 0)
      .map(async ({ name, region, readyUrls }) => ({ name, region, samples: await metricsOf(readyUrls[0]!) })),
  );

/**
 * By place. The one process of embedded holds several leases, so there the reader of the feed names the place: "gateway-1", "cart-feed". With two regions
 * a process reads its own feed and the copy of the other one: "cart-feed" and "cart-us-feed".
 */
export async function leasesOf(processes: readonly LinkedProcess[]): Promise<LeasesView> {
  const told = await toldBy(processes);
  const regions = [...new Set(processes.flatMap(({ region }) => region ?? []))];
  const leases = told.flatMap(({ name, region, samples }): LeaseView[] => {
    const ages = samples.filter((sample) => sample.name === 'revocation_lease_age_seconds');
    return ages.map(({ labels: { reader = '' }, value }) => {
      const of = reader.replace(/-feed$/, '');
      const ageMs = value * 1_000;
      if (region === undefined) return { place: ages.length === 1 ? name : of, ageMs };
      return { place: name, ageMs, region, home: regions.find((other) => of.endsWith(`-${other}`)) ?? region };
    });
  });
  return { leases: leases.toSorted((a, b) => a.place.localeCompare(b.place)), ofMs: revocationLeaseMs };
}

export async function placesOf(processes: readonly LinkedProcess[]): Promise<PlacesView> {
  const told = await toldBy(processes);
  return {
    partitions: told
      .flatMap(({ name, region, samples }) => partitionsIn(name, samples).map((one) => (region === undefined ? one : { ...one, region })))
      .toSorted((a, b) => a.partition - b.partition || a.owner.localeCompare(b.owner)),
    readers: told
      .flatMap(({ name, samples }) => readersIn(name, samples))
      .toSorted((a, b) => a.topic.localeCompare(b.topic) || a.group.localeCompare(b.group) || a.process.localeCompare(b.process)),
  };
}

function partitionsIn(owner: string, samples: readonly Sample[]): PartitionView[] {
  const of = (name: string, partition: string): number | undefined =>
    samples.find((sample) => sample.name === name && sample.labels['partition'] === partition)?.value;
  return samples
    .filter(({ name }) => name === 'cart_projector_next_offset')
    .map(({ labels: { partition = '' }, value }) => ({
      partition: Number(partition),
      owner,
      nextOffset: value,
      lagRecords: of('cart_projector_lag_records', partition),
      lagSeconds: of('cart_projector_lag_seconds', partition),
    }));
}

function readersIn(process: string, samples: readonly Sample[]): ReaderView[] {
  return samples
    .filter(({ name }) => name === 'event_log_consumer_lag_records')
    .map(({ labels: { group = '', topic = '' }, value }) => ({
      process,
      group,
      topic,
      lagRecords: value,
      lagSeconds: samples.find(
        (sample) =>
          sample.name === 'event_log_consumer_lag_seconds' && sample.labels['group'] === group && sample.labels['topic'] === topic,
      )?.value,
    }));
}

/** A process that does not answer has no word here; the map says that it is away. */
async function metricsOf(readyUrl: string): Promise<readonly Sample[]> {
  try {
    const answer = await fetch(new URL('/metrics', readyUrl), { signal: AbortSignal.timeout(answerTimeoutMs) });
    return samplesIn(await answer.text());
  } catch {
    return [];
  }
}

/** Lines of the Prometheus text format with plain numbers: `name{label="value",...} 12`. */
export function samplesIn(text: string): Sample[] {
  return text.split('\n').flatMap((line) => {
    const match = /^([a-z_]+)(?:\{(.*)\})? ([-+.\deE]+)$/.exec(line);
    if (match === null) return [];
    const labels = Object.fromEntries([...(match[2] ?? '').matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name!, value!]));
    return [{ name: match[1]!, labels, value: Number(match[3]) }];
  });
}
