/**
 * Two regions in two clusters, derived from the drawing of two regions on one machine. Each cluster gets a component: infra/k8s/components/region-eu
 * and region-us. Strimzi is told of the copies in examples/strimzi-region-eu.yaml and -us.yaml (regions.mirror.ts). docs/deploy.md says what an
 * operator brings.
 *
 * Names and networks of the other region are examples. An overlay states its own over them.
 */
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import type { IService } from 'kubernetes-models/v1';
import { regionNames, regionPortsOf, serviceNames, type RegionName, type ServiceName } from '../stack/stack.ports.ts';
import { otherRegion } from '../stack/stack.regions.ts';
import { defaultBase, drawStack, meshNames } from '../stack/stack.ts';
import type { AppName } from '../stack/stack.ts';
import { servicePorts } from './cluster.ts';

export { otherRegion, regionNames, type RegionName };

/** The private network of each region. Only from there somebody reaches the doors of the other region. */
export const networkOf: Readonly<Record<RegionName, string>> = { eu: '10.1.0.0/16', us: '10.2.0.0/16' };

/** The name by which a part is reached from the other region. */
export const nameAbroad = (part: string, region: RegionName): string => `${part}.${region}.shop.example.com`;

/** A variable that tells a service where a part of the other region is. */
export interface Dial {
  readonly from: AppName;
  readonly variable: string;
  readonly to: ServiceName;
}

const drawn = drawStack({ provider: 'native', profile: 'regions', base: defaultBase, dataDir: '/data' });

function settingsOf(name: AppName, region: RegionName): Readonly<Record<string, string>> {
  const run = drawn.processes.find((process) => process.name === `${name}-${region}`)?.run;
  if (run?.kind !== 'app') throw new Error(`${name} is no service`);
  return run.app.env;
}

/** Everything that this region dials in the other one, besides the mirror. */
export function dialsOf(region: RegionName): Dial[] {
  const there = otherRegion(region);
  const { acrossOcean } = regionPortsOf(defaultBase, there);
  const partAt = (address: string) => serviceNames.find((name) => address === `${there}=localhost:${acrossOcean[name]}`);
  return meshNames.flatMap((from) =>
    Object.entries(settingsOf(from, region)).flatMap(([variable, address]) => {
      const to = partAt(address);
      return to === undefined ? [] : [{ from, variable, to }];
    }),
  );
}

const meshPort = (name: ServiceName): number => servicePorts(name)[0]!.port;

/** @returns the services that the other region dials here */
export const doorsOf = (region: RegionName): ServiceName[] =>
  serviceNames.filter((name) => dialsOf(otherRegion(region)).some(({ to }) => to === name));

export function regionKustomization(region: RegionName, files: readonly string[]): object {
  const there = otherRegion(region);
  const told = (name: AppName) => dialsOf(region).filter(({ from }) => from === name);
  return {
    apiVersion: 'kustomize.config.k8s.io/v1alpha1',
    kind: 'Component',
    resources: files,
    configMapGenerator: meshNames.map((name) => ({
      name,
      behavior: 'merge',
      literals: [
        `REGION=${region}`,
        // For a shop that was the only region before: that name is in its tokens.
        ...(settingsOf(name, region)['FORMER_REGION'] === undefined ? [] : [`FORMER_REGION=${settingsOf(name, region)['FORMER_REGION']}`]),
        ...told(name).map(({ variable, to }) => `${variable}=${there}=${nameAbroad(to, there)}:${meshPort(to)}`),
      ],
    })),
  };
}

/** Where the other region comes in: to the mesh, which asks each caller for a certificate of the one authority. */
export function doors(region: RegionName): IService[] {
  return doorsOf(region).map((name) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: `${name}-abroad` },
    spec: {
      type: 'LoadBalancer',
      // The pod then sees the caller's own address, and so does its network policy.
      externalTrafficPolicy: 'Local',
      loadBalancerSourceRanges: [networkOf[otherRegion(region)]],
      selector: { 'app.kubernetes.io/name': name },
      ports: [{ name: 'grpc', port: meshPort(name), targetPort: 'grpc' }],
    },
  }));
}

/** Policies add up. So these only open what the base leaves closed. */
export function policiesAbroad(region: RegionName): INetworkPolicy[] {
  const peer = { ipBlock: { cidr: networkOf[otherRegion(region)] } };
  const tcp = (name: ServiceName) => ({ protocol: 'TCP' as const, port: meshPort(name) });
  return meshNames.flatMap((name) => {
    const reached = [...new Set(dialsOf(region).flatMap(({ from, to }) => (from === name ? [to] : [])))];
    const opened = doorsOf(region).filter((door) => door === name);
    if (reached.length === 0 && opened.length === 0) return [];
    return {
      apiVersion: 'networking.k8s.io/v1' as const,
      kind: 'NetworkPolicy' as const,
      metadata: { name: `${name}-abroad` },
      spec: {
        podSelector: { matchLabels: { 'app.kubernetes.io/name': name } },
        policyTypes: [...(opened.length > 0 ? (['Ingress'] as const) : []), ...(reached.length > 0 ? (['Egress'] as const) : [])],
        ...(opened.length > 0 && { ingress: opened.map((door) => ({ from: [peer], ports: [tcp(door)] })) }),
        ...(reached.length > 0 && { egress: reached.map((to) => ({ to: [peer], ports: [tcp(to)] })) }),
      },
    };
  });
}
