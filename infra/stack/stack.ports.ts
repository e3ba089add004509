/**
 * The port of each process. Part of the drawing: see stack.ts.
 *
 * A port is the base plus an offset. Gateways have 0 to 8, the Observatory has 9, and pages served out of their sources have 100. A service has its ten ports from 110 on: gRPC even, admin the odd one above. Storage has
 * its ten from 210 on. Replica n of a service, from 1, is 2 (n - 1) higher than the first: auth has 110 and 111, its second replica 112 and 113.
 * Kafka's brokers follow the same rule. The nodes of the sessions' Redis cluster have consecutive ports, and their bus ports are 40 higher.
 *
 * With two regions, `us` has the next gateway port, and its other ports begin one span higher. Each region has ten ports of the ocean from 200 on.
 */
export interface ServicePorts {
  readonly mesh: number;
  readonly admin: number;
}

export interface BrokerPorts {
  readonly port: number;
  readonly controllerPort: number;
}

/** The services behind the gateways, each with the offset of its ports. A line here is a service's place in the drawing. */
export const serviceOffsets = {
  auth: 110,
  cart: 120,
  profile: 130,
  catalog: 140,
  orders: 150,
} as const;
export type ServiceName = keyof typeof serviceOffsets;
export const serviceNames = Object.keys(serviceOffsets) as readonly ServiceName[];

export const defaultBase = 4000;
/** A base must leave room for this span: the highest offset is a bus port of the Redis cluster. */
export const portSpan = 256;

export function portsOf(base: number) {
  return {
    gateways: [base, base + 1] as const,
    observatory: base + 9,
    /** Vite's, where the sources are watched. */
    pages: base + 100,
    ...ofEachService((name): ServicePorts => ({ mesh: base + serviceOffsets[name], admin: base + serviceOffsets[name] + 1 })),
    redisSessions: base + 210,
    redisCarts: base + 220,
    kafka: base + 230,
    kafkaController: base + 231,
    postgres: base + 240,
  };
}

const serviceReplicaCount = 2;
const brokerCount = 3;
/** Three primaries with a replica each: infra/native/redis-cluster.ts. */
const redisNodeCount = 6;

/** The ports of `--profile cluster`. */
export function clusterPortsOf(base: number) {
  const first = portsOf(base);
  const replicas = ({ mesh, admin }: ServicePorts): ServicePorts[] =>
    counted(serviceReplicaCount).map((index) => ({ mesh: mesh + 2 * index, admin: admin + 2 * index }));
  return {
    gateways: [...first.gateways, base + 2] as const,
    ...ofEachService((name) => replicas(first[name])),
    redisSessions: counted(redisNodeCount).map((index) => first.redisSessions + index),
    redisCarts: first.redisCarts,
    brokers: counted(brokerCount).map((index): BrokerPorts => ({
      port: first.kafka + 2 * index,
      controllerPort: first.kafkaController + 2 * index,
    })),
    postgres: first.postgres,
  };
}

/** One of each, by the service's name. */
export const ofEachService = <One>(make: (name: ServiceName) => One) =>
  Object.fromEntries(serviceNames.map((name) => [name, make(name)])) as Readonly<Record<ServiceName, One>>;

const counted = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** The two regions of `--profile regions`. */
export const regionNames = ['eu', 'us'] as const;
export type RegionName = (typeof regionNames)[number];

/** The offset of the first port on which the other region reaches this one. */
const oceanOffset = 200;
/** The gateways of both regions stand side by side, as those of one region do. */
const regionIndex: Readonly<Record<RegionName, number>> = { eu: 0, us: 1 };

/** The ports of one region of `--profile regions`. */
export function regionPortsOf(base: number, region: RegionName) {
  const index = regionIndex[region];
  const first = base + index * portSpan;
  const { gateways: _, ...own } = portsOf(first);
  return {
    ...own,
    gateways: [base + index] as const,
    /** The listener of this region's Kafka that the ocean dials. It advertises the port of the ocean. */
    kafkaWan: first + oceanOffset,
    /** The other region dials these, and the ocean passes them on. */
    acrossOcean: {
      kafka: first + oceanOffset + 1,
      ...ofEachService((name) => first + oceanOffset + 2 + serviceNames.indexOf(name)),
    },
  };
}

/** The further ports of two regions on which somebody speaks HTTP. */
export const regionHttpPortsOf = (base: number): number[] => [oceanControlOf(base), ...httpPortsOf(base + portSpan)];

/** The ocean is commanded here. */
export const oceanControlOf = (base: number): number => base + oceanOffset + 9;

/** The bus port, on which a node of the Redis cluster talks to the others. */
export const redisBusPortOf = (port: number): number => port + 40;

/** The ports on which browsers, probes and Prometheus speak HTTP, in any profile. */
export function httpPortsOf(base: number): number[] {
  const ports = clusterPortsOf(base);
  return [...ports.gateways, portsOf(base).observatory, ...serviceNames.flatMap((name) => ports[name]).map(({ admin }) => admin)];
}
