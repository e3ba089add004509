/**
 * `--profile regions` runs two regions on one machine, and an ocean between them. Part of the drawing: see stack.ts.
 *
 *   gateway-eu -> auth-eu, cart-eu ... -> redis-*-eu, kafka-eu <- mirror-eu --+
 *                                                                             |-- ocean (one TCP proxy a direction)
 *   gateway-us -> auth-us, cart-us ... -> redis-*-us, kafka-us <- mirror-us --+
 *
 * Each mirror reads the other region's Kafka across the ocean and writes its own. The two regions share the authority of the mesh and the secrets of
 * the data folder. Nothing else is shared.
 */
import { join } from 'node:path';
import { appReadyMs, drawApps, drawServices, loopback } from './stack.apps.ts';
import {
  ofEachService,
  oceanControlOf,
  regionNames,
  regionPortsOf,
  serviceNames,
  type RegionName,
  type ServiceName,
} from './stack.ports.ts';
import { kafkaOfRegion, redis } from './stack.storage.ts';
import type { OceanRoute, ProcessSpec, StackOptions } from './stack.spec.ts';

/** Between Western Europe and the east of the United States. */
export const oceanRttMs = 80;

/** 20 processes that start at once on 2 cores take turns. */
const slowness = 1.5;
/** Beside the rest of the start, also the ocean was seen to take 20 s on a machine with a load of 100. */
const readyMs = appReadyMs * slowness;
/** A mirror has nothing to finish: what it copied twice, it copied in order. */
const mirrorGraceMs = 4_000;
const oceanGraceMs = 1_000;

/** A shop of one region that becomes one of two is this one of them (docs/regions.md). */
const formerRegion: RegionName = 'eu';
/** It decides about all stock. The other region sells from a share of it. */
const stockDecider: RegionName = 'eu';

export const otherRegion = (region: RegionName): RegionName => (region === 'eu' ? 'us' : 'eu');

/** Where a service of the other region is reached from this one, as the services are told it. */
export function acrossOcean(base: number, region: RegionName, name: ServiceName): string {
  const there = otherRegion(region);
  return `${there}=localhost:${regionPortsOf(base, there).acrossOcean[name]}`;
}

export function drawRegions(options: StackOptions): ProcessSpec[] {
  if (options.provider !== 'native') throw new Error(`two regions are drawn for native alone, not ${options.provider}`);
  if (options.database === 'postgres') throw new Error('two regions are drawn on SQLite alone');
  return [drawOcean(options), ...regionNames.flatMap((region) => drawRegion(options, region))];
}

function drawRegion(options: StackOptions, region: RegionName): ProcessSpec[] {
  const ports = regionPortsOf(options.base, region);
  const at = (name: string) => join(options.dataDir, `${name}-${region}`);
  const wan = { port: ports.kafkaWan, advertisedPort: ports.acrossOcean.kafka };
  const below = [
    redis(`redis-sessions-${region}`, ports.redisSessions, at('redis-sessions')),
    redis(`redis-carts-${region}`, ports.redisCarts, at('redis-carts')),
    kafkaOfRegion(region, { port: ports.kafka, controllerPort: ports.kafkaController }, wan, at('kafka')),
  ];
  const log = { EVENT_LOG: 'kafka', KAFKA_BROKERS: brokerOf(options.base, region) };
  const there = otherRegion(region);
  const across = (name: ServiceName) => acrossOcean(options.base, region, name);
  const { gateways, postgres } = ports;
  // A person of the other region has the session, the profile and the orders there, across the ocean.
  const abroad = {
    otherRegions: across('auth'),
    profileAbroad: across('profile'),
    ordersAbroad: across('orders'),
    ...(region === stockDecider ? {} : { stockDecider: across('catalog') }),
  };
  const places = { ...ofEachService((name) => [ports[name]]), gateways, postgres, region, former: formerRegion, ...abroad };
  const here = { ...places, pagesAbroad: regionPortsOf(options.base, there).gateways };
  const apps = drawApps(options, here, {
    auth: { ...log, SESSION_STORE: 'redis', SESSION_REDIS_URL: `redis://${loopback}:${ports.redisSessions}` },
    cart: { ...log, CART_VIEW: 'redis', CART_REDIS_URL: `redis://${loopback}:${ports.redisCarts}` },
    other: log,
  });
  const services = drawServices(
    apps,
    below.map(({ name }) => name),
    readyMs,
  );
  return [...below, drawMirror(options, region), ...services].map((spec) => ({ ...spec, region }));
}

/** The address of a region's Kafka on its own shore. */
export const brokerOf = (base: number, region: RegionName): string => `${loopback}:${regionPortsOf(base, region).kafka}`;

function drawMirror(options: StackOptions, here: RegionName): ProcessSpec {
  const there = otherRegion(here);
  const across = regionPortsOf(options.base, there).acrossOcean.kafka;
  return {
    name: `mirror-${here}`,
    run: {
      kind: 'mirror',
      dir: join(options.dataDir, `mirror-${here}`),
      mirror: { here, there, brokerHere: brokerOf(options.base, here), brokerThere: `${loopback}:${across}` },
    },
    needs: [`kafka-${here}`, 'ocean'],
    ports: [],
    url: `${there} -> ${here}`,
    health: { kind: 'kafka-group', port: regionPortsOf(options.base, here).kafka, group: mirrorGroupOf(there) },
    readyTimeoutMs: readyMs,
    stopGraceMs: mirrorGraceMs,
  };
}

/** MirrorMaker's workers form this group in the Kafka that they write. */
const mirrorGroupOf = (there: RegionName): string => `${there}-mm2`;

function drawOcean(options: StackOptions): ProcessSpec {
  const controlPort = oceanControlOf(options.base);
  const routes = regionNames.flatMap((to) => routesTo(options, to));
  return {
    name: 'ocean',
    run: {
      kind: 'ocean',
      ocean: {
        controlPort,
        rttMs: options.oceanRttMs ?? oceanRttMs,
        routes,
        brokers: { eu: brokerOf(options.base, 'eu'), us: brokerOf(options.base, 'us') },
      },
    },
    needs: [],
    ports: [controlPort, ...routes.map(({ listenPort }) => listenPort)],
    url: `http://${loopback}:${controlPort}`,
    health: { kind: 'http', urls: [`http://${loopback}:${controlPort}/healthz`] },
    readyTimeoutMs: readyMs,
    stopGraceMs: oceanGraceMs,
  };
}

/** Everything in a region that the other one may dial. */
function routesTo({ base }: StackOptions, to: RegionName): OceanRoute[] {
  const { acrossOcean, kafkaWan, ...ports } = regionPortsOf(base, to);
  const route = (name: OceanRoute['name'], targetPort: number): OceanRoute => ({
    name,
    from: otherRegion(to),
    to,
    listenPort: acrossOcean[name],
    targetPort,
  });
  return [route('kafka', kafkaWan), ...serviceNames.map((name) => route(name, ports[name].mesh))];
}
