/**
 * The port of each process. Part of the drawing: see stack.ts.
 *
 * A port is the base plus an offset. Gateways have 0 to 9, and pages served out of their sources have 100. A service has its ten ports from 110 on: gRPC even, admin the odd one above. Storage has
 * its ten from 210 on. Replica n of a service, from 1, is 2 (n - 1) higher than the first: auth has 110 and 111, its second replica 112 and 113.
 * Kafka's brokers follow the same rule. The nodes of the sessions' Redis cluster have consecutive ports, and their bus ports are 40 higher.
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

/** The bus port, on which a node of the Redis cluster talks to the others. */
export const redisBusPortOf = (port: number): number => port + 40;

/** The ports on which browsers, probes and Prometheus speak HTTP, in any profile. */
export function httpPortsOf(base: number): number[] {
  const ports = clusterPortsOf(base);
  return [...ports.gateways, ...serviceNames.flatMap((name) => ports[name]).map(({ admin }) => admin)];
}
