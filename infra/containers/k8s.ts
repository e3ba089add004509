/**
 * infra/k8s/base, derived from the drawing: each service as a Deployment with the settings that a cluster needs. They are typed objects, so
 * a field that Kubernetes does not have fails to compile. Parts that are not ours are met by name, and operators bring them: broker,
 * stores, databases, the issuer of certificates, the edge (docs/deploy.md).
 */
import type { ICertificate } from '@kubernetes-models/cert-manager/cert-manager.io/v1';
import type { IDeployment } from 'kubernetes-models/apps/v1';
import type { IHorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2';
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1';
import type { IService, IServiceAccount } from 'kubernetes-models/v1';
import { meshNames } from '../stack/stack.ts';
import type { AppName, AppSpec } from '../stack/stack.ts';
import { agreedConfigMap, appSpecs, secretRefs, servicePorts } from './cluster.ts';
import { networkPolicies } from './network-policies.ts';

/** The image's name in these files. An overlay says where the image is, and its digest. */
export const clusterImage = 'cloakroom';

/**
 * Endpoints need a moment to leave the tables of every node. Until then a pod that ends still gets new connections, and must answer them.
 */
const leaveS = 5;
/** process.ts ends itself 8 s after SIGTERM at the latest. A gateway answers 503 at /readyz from the first moment, and drains for 4 s. */
const stopS = 10;

/**
 * Measured on a busy service (npm run status under npm run bench). Requests are what it needs to be placed; the limit is more than a
 * healthy one uses. There is no limit on CPU, because throttling shows as latency.
 */
const resources = { requests: { cpu: '100m', memory: '192Mi' }, limits: { memory: '384Mi' } };

/** Two of each, so that one may be lost. A lease in their database decides which replica of auth relays. */
const replicas = 2;
const gatewayReplicas = { min: 2, max: 6, cpuPercent: 70 };

/** A certificate lives 90 days and is renewed 30 days before its end. Processes read it at start, so there is a month to restart each. */
const certificateLife = { duration: '2160h', renewBefore: '720h' };

const labelsOf = (name: AppName) => ({ 'app.kubernetes.io/name': name });

export function serviceResources(name: AppName): object[] {
  return [serviceAccount(name), service(name), deployment(name), disruptionBudget(name), certificate(name)];
}

export function sharedResources(): { readonly 'network-policies': object[]; readonly autoscaler: object[] } {
  return { 'network-policies': networkPolicies(), autoscaler: [autoscaler()] };
}

/** The services do not use the cluster's API. */
function serviceAccount(name: AppName): IServiceAccount {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name }, automountServiceAccountToken: false };
}

function service(name: AppName): IService {
  const ports = servicePorts(name).map(({ name: port, port: number }) => ({ name: port, port: number, targetPort: port }));
  return { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { selector: labelsOf(name), ports } };
}

function deployment(name: AppName): IDeployment {
  const { app } = appSpecs[name];
  const labels = labelsOf(name);
  const spread = (topologyKey: string) => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: 'ScheduleAnyway' as const,
    labelSelector: { matchLabels: labels },
  });
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      // The autoscaler sets the number of gateways. A number here would conflict with it.
      ...(name !== 'gateway' && { replicas }),
      selector: { matchLabels: labels },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      template: {
        metadata: { labels },
        spec: {
          serviceAccountName: name,
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: leaveS + stopS,
          topologySpreadConstraints: [spread('topology.kubernetes.io/zone'), spread('kubernetes.io/hostname')],
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 1000,
            runAsGroup: 1000,
            fsGroup: 1000,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          containers: [container(name, app)],
          volumes: [
            { name: 'tmp', emptyDir: { medium: 'Memory', sizeLimit: '32Mi' } },
            {
              name: 'tls',
              secret: {
                secretName: `tls-${name}`,
                defaultMode: 0o440,
                // The file names that libs/mesh/src/tls/tls.ts reads.
                items: [
                  { key: 'ca.crt', path: 'ca.pem' },
                  { key: 'tls.crt', path: `${name}.pem` },
                  { key: 'tls.key', path: `${name}.key` },
                ],
              },
            },
          ],
        },
      },
    },
  };
}

const configMapsOf = (name: AppName): string[] => [...(Object.keys(appSpecs[name].agreed).length > 0 ? [agreedConfigMap] : []), name];

function container(name: AppName, app: AppSpec) {
  const ports = servicePorts(name);
  const probe = (path: string) => ({ httpGet: { path, port: ports.at(-1)!.name } });
  return {
    name,
    image: clusterImage,
    args: ['node', `apps/${name}/dist/main.js`],
    ports: ports.map(({ name: port, port: containerPort }) => ({ name: port, containerPort })),
    envFrom: configMapsOf(name).map((map) => ({ configMapRef: { name: map } })),
    env: [
      { name: 'REPLICA', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      ...secretRefs(name, app).map(({ variable, secret, key }) => ({
        name: variable,
        valueFrom: { secretKeyRef: { name: secret, key } },
      })),
    ],
    resources,
    // Two minutes for a database that is still starting. After that the other two probes watch.
    startupProbe: { ...probe('/healthz'), periodSeconds: 2, timeoutSeconds: 3, failureThreshold: 60 },
    // /readyz answers within 2 s, whatever it depends on.
    readinessProbe: { ...probe('/readyz'), periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 2 },
    livenessProbe: { ...probe('/healthz'), periodSeconds: 10, timeoutSeconds: 3, failureThreshold: 3 },
    lifecycle: { preStop: { sleep: { seconds: leaveS } } },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: [
      { name: 'tmp', mountPath: '/tmp' },
      { name: 'tls', mountPath: app.env['TLS_DIR']!, readOnly: true },
    ],
  };
}

/** One at a time, whatever the number of replicas. `minAvailable` would block the drain of a node where only one runs. */
function disruptionBudget(name: AppName): IPodDisruptionBudget {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name },
    spec: { maxUnavailable: 1, selector: { matchLabels: labelsOf(name) } },
  };
}

/**
 * The mesh reads a caller's name from the CN, and requires it among the DNS names too. A client
 * accepts only the service that it meant to call.
 */
function certificate(name: AppName): ICertificate {
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata: { name: `tls-${name}` },
    spec: {
      secretName: `tls-${name}`,
      commonName: name,
      dnsNames: [name],
      usages: ['digital signature', 'server auth', 'client auth'],
      privateKey: { algorithm: 'ECDSA', size: 256, encoding: 'PKCS8', rotationPolicy: 'Always' },
      ...certificateLife,
      issuerRef: { name: 'cloakroom-mesh', kind: 'Issuer', group: 'cert-manager.io' },
    },
  };
}

function autoscaler(): IHorizontalPodAutoscaler {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'gateway' },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'gateway' },
      minReplicas: gatewayReplicas.min,
      maxReplicas: gatewayReplicas.max,
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: gatewayReplicas.cpuPercent } } },
      ],
    },
  };
}

/** The base of every overlay. The name of a ConfigMap has the hash of its content, so a change restarts the pods that read it. */
export function kustomization(files: readonly string[]) {
  const map = (name: string, config: Readonly<Record<string, string>>) => ({
    name,
    literals: Object.entries(config).map(([key, value]) => `${key}=${value}`),
  });
  return {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    labels: [{ pairs: { 'app.kubernetes.io/part-of': 'cloakroom' } }],
    resources: files,
    configMapGenerator: [map(agreedConfigMap, appSpecs.gateway.agreed), ...meshNames.map((name) => map(name, appSpecs[name].config))],
  };
}
