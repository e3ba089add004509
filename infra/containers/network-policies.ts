/** Default deny. Allowed are the edges in the drawing, DNS, traffic from the cluster's edge to the gateway, and the reader of metrics. */
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { meshNames } from '../stack/stack.ts';
import type { AppName } from '../stack/stack.ts';
import { edges, labelsOfStorage, servicePorts, storages } from './cluster.ts';
import type { Edge, Storage } from './cluster.ts';

/** Namespaces that the operator of the cluster labels in this way. */
export const outsiders = {
  edge: { 'cloakroom.example/edge': 'true' },
  monitoring: { 'cloakroom.example/monitoring': 'true' },
} as const;

const selectorOf = (name: AppName) => ({ matchLabels: { 'app.kubernetes.io/name': name } });
const tcp = (port: number) => ({ protocol: 'TCP' as const, port });

export function networkPolicies(): INetworkPolicy[] {
  const all = edges();
  return [denyAll(), resolveNames(), ...meshNames.map((name) => policyOf(name, all))];
}

function denyAll(): INetworkPolicy {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'deny-all' },
    spec: { podSelector: ours(), policyTypes: ['Ingress', 'Egress'] },
  };
}

function resolveNames(): INetworkPolicy {
  const ports = (['UDP', 'TCP'] as const).map((protocol) => ({ protocol, port: 53 }));
  const to = [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } } }];
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'resolve-names' },
    spec: { podSelector: ours(), policyTypes: ['Egress'], egress: [{ to, ports }] },
  };
}

/** Selects pods of this shop, and not those of an operator in the same namespace. */
function ours() {
  return { matchExpressions: [{ key: 'app.kubernetes.io/name', operator: 'In', values: [...meshNames] }] };
}

function policyOf(name: AppName, all: readonly Edge[]): INetworkPolicy {
  const callers = all
    .filter(({ to }) => to === name)
    .map(({ from, port }) => ({ from: [{ podSelector: selectorOf(from) }], ports: [tcp(port)] }));
  const watched = servicePorts(name).at(-1)!.port;
  const monitoring = { from: [{ namespaceSelector: { matchLabels: outsiders.monitoring } }], ports: [tcp(watched)] };
  const people = { from: [{ namespaceSelector: { matchLabels: outsiders.edge } }], ports: [tcp(watched)] };
  const peerOf = ({ to, from }: Edge) => (isStorage(to) ? { matchLabels: labelsOfStorage(to, from) } : selectorOf(to));
  const egress = all.filter(({ from }) => from === name).map((edge) => ({ to: [{ podSelector: peerOf(edge) }], ports: [tcp(edge.port)] }));
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name },
    spec: {
      podSelector: selectorOf(name),
      policyTypes: ['Ingress', 'Egress'],
      ingress: [...callers, ...(name === 'gateway' ? [people] : []), monitoring],
      egress,
    },
  };
}

function isStorage(to: Edge['to']): to is Storage {
  return to in storages;
}
