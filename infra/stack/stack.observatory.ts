/** The Observatory's place in the drawing: beside the shop, which does not need it. Part of the drawing: see stack.ts. */
import { join } from 'node:path';
import { clusterPortsOf, oceanControlOf, portsOf, regionNames, type ServiceName } from './stack.ports.ts';
import { acrossOcean, brokerOf } from './stack.regions.ts';
import type { ProcessSpec, StackOptions } from './stack.spec.ts';
import { loopback } from './stack.apps.ts';
import { embeddedLogFile } from './stack.storage.ts';

/** A small process, on a machine whose cores the shop has just kept busy. */
const readyTimeoutMs = 60_000;
/**
 * In the data folder of embedded. It is for the Observatory's forger, which is the caller `developer` and needs no more: from it nobody finds the secret
 * of the start.
 */
export const developerSecretFile = 'developer.secret';
/** It has nothing to finish. */
const stopGraceMs = 1_000;

export function drawObservatory({ provider, base, dataDir, logLevel, profile }: StackOptions): ProcessSpec {
  // It shows who somebody is and takes power over processes, so it is drawn for a shop on one's own machine alone.
  if (provider !== 'native' && provider !== 'embedded')
    throw new Error(`the Observatory is drawn for native and embedded, not ${provider}`);
  const ports = portsOf(base);
  const port = ports.observatory;
  const brokerPorts = profile === 'cluster' ? clusterPortsOf(base).brokers.map((broker) => broker.port) : [ports.kafka];
  const brokers = brokerPorts.map((broker) => `${loopback}:${broker}`);
  const address = (name: ServiceName) => `localhost:${ports[name].mesh}`;
  return {
    name: 'observatory',
    run: {
      kind: 'observatory',
      env: {
        LISTEN_PORT: String(port),
        LOG_LEVEL: logLevel ?? 'info',
        // Cart's own program reads the log of one cart for it.
        ...(provider === 'embedded' ? { EVENT_LOG_FILE: embeddedLogFile(dataDir) } : { KAFKA_BROKERS: brokers.join(',') }),
        ...(profile === 'regions' ? { OCEAN_URL: `http://${loopback}:${oceanControlOf(base)}`, CART_LOGS: cartLogsOf(base) } : {}),
        // Its forger calls these as `developer`: by that certificate, or by that secret.
        SHOP_URL: `http://localhost:${ports.gateways[0]}`,
        AUTH_ADDRESS: address('auth'),
        CART_ADDRESS: address('cart'),
        PROFILE_ADDRESS: address('profile'),
        ...(provider === 'embedded' ? { DEVELOPER_SECRET_FILE: join(dataDir, developerSecretFile) } : { TLS_DIR: join(dataDir, 'tls') }),
      },
    },
    needs: [],
    ports: [port],
    url: `http://localhost:${port}`,
    health: { kind: 'http', urls: [`http://${loopback}:${port}/healthz`] },
    readyTimeoutMs,
    stopGraceMs,
    beside: true,
  };
}

/** For each region what `npm run cart -- history --region` is told: its own Kafka, and whose copies lie there. */
function cartLogsOf(base: number): string {
  const logs = regionNames.map((region): readonly [string, Readonly<Record<string, string>>] => [
    region,
    { KAFKA_BROKERS: brokerOf(base, region), REGION: region, OTHER_REGIONS: acrossOcean(base, region, 'auth') },
  ]);
  return JSON.stringify(Object.fromEntries(logs));
}
