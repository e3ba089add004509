/** Every derived and committed file, by its path below infra/. Each is formatted as the formatter of the repository wants it. */
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { defaultBase, meshNames } from '../stack/stack.ts';
import { drawCompose, drawPostgresOverlay } from './compose.ts';
import { kustomization, serviceResources, sharedResources } from './k8s.ts';
import { dashboardProviders, datasources, drawDashboard, drawObservability, drawPrometheus } from './observability.ts';
import { doors, policiesAbroad, regionKustomization, regionNames } from './regions.ts';
import { strimziOfRegion } from './regions.mirror.ts';
import { drawTopics } from './strimzi-topics.ts';
import { toYaml } from './to-yaml.ts';

const head = (from: string) => `# Derived by infra/containers/${from}: change that, then run node infra/containers/write.ts.\n`;

export async function derivedFiles(): Promise<Readonly<Record<string, string>>> {
  const yaml = (from: string, ...documents: readonly object[]) => head(from) + toYaml(...documents);
  const files: Record<string, string> = {
    'compose.yaml': yaml('compose.ts', drawCompose({ base: defaultBase })),
    'compose.postgres.yaml': yaml('compose.ts', drawPostgresOverlay(defaultBase)),
    'compose.observability.yaml': yaml('observability.ts', drawObservability()),
    'observability/prometheus.yaml': yaml('observability.ts', drawPrometheus()),
    'observability/datasources.yaml': yaml('observability.ts', datasources),
    'observability/dashboards.yaml': yaml('observability.ts', dashboardProviders),
    'observability/dashboard.json': JSON.stringify(drawDashboard(), undefined, 2),
  };
  const base = { ...Object.fromEntries(meshNames.map((name) => [name, serviceResources(name)])), ...sharedResources() };
  for (const [name, resources] of Object.entries(base)) files[`k8s/base/${name}.yaml`] = yaml('k8s.ts', ...resources);
  files['k8s/base/kustomization.yaml'] = yaml('k8s.ts', kustomization(Object.keys(base).map((name) => `${name}.yaml`)));
  files['k8s/examples/strimzi-topics.yaml'] = yaml('strimzi-topics.ts', ...drawTopics());
  for (const region of regionNames) {
    const own = { 'doors.yaml': doors(region), 'network-policies.yaml': policiesAbroad(region) };
    const folder = `k8s/components/region-${region}`;
    for (const [name, resources] of Object.entries(own)) files[`${folder}/${name}`] = yaml('regions.ts', ...resources);
    files[`${folder}/kustomization.yaml`] = yaml('regions.ts', regionKustomization(region, Object.keys(own)));
    files[`k8s/examples/strimzi-region-${region}.yaml`] = yaml('regions.mirror.ts', ...strimziOfRegion(region));
  }
  const options = await resolveConfig(join(import.meta.dirname, 'derived.ts'));
  const formatted = Object.entries(files).map(async ([path, text]) => [path, await format(text, { ...options, filepath: path })] as const);
  return Object.fromEntries(await Promise.all(formatted));
}
