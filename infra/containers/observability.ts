/**
 * The optional overlay infra/compose.observability.yaml: traces go to Jaeger, Prometheus asks every admin port, Grafana shows one
 * dashboard. Its configuration in infra/observability/ is derived here, so a moved or new service is included automatically.
 */
import { drawStack, defaultBase, portsOf } from '../stack/stack.ts';
import type { ProcessSpec } from '../stack/stack.ts';
import { confined, dataInContainer } from './compose.ts';
import type { ComposeFile, ComposeService } from './compose.ts';
import { panels } from './dashboard.ts';
import { images } from './images.ts';

/** Pages for people, on loopback of the host, above the last port of the drawing. Inside the network each keeps its usual port. */
const pages = { jaeger: 300, prometheus: 310, grafana: 320 } as const;
const otlpPort = 4318;
const prometheusPort = 9090;

/** Enough for a day on a laptop. A cluster brings its own storage. */
const keep = { time: '1d', size: '256MB' };

export function drawObservability(base = defaultBase): ComposeFile {
  const tell = { environment: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://jaeger:${otlpPort}` } };
  const page = (name: keyof typeof pages, port: number) => [`127.0.0.1:${base + pages[name]}:${port}`];
  const shared: ComposeService = { ...confined, restart: 'unless-stopped', networks: ['edge', 'mesh'], pids_limit: 256, tmpfs: ['/tmp'] };
  return {
    services: {
      ...Object.fromEntries(appsOf(base).map(({ name }) => [name, tell])),
      jaeger: {
        image: images.jaeger,
        ...shared,
        environment: { JAEGER_LISTEN_HOST: '0.0.0.0' },
        mem_limit: '512m',
        ports: page('jaeger', 16_686),
      },
      prometheus: {
        image: images.prometheus,
        ...shared,
        command: [
          '--config.file=/etc/prometheus/cloakroom.yaml',
          '--storage.tsdb.path=/prometheus',
          `--storage.tsdb.retention.time=${keep.time}`,
          `--storage.tsdb.retention.size=${keep.size}`,
        ],
        mem_limit: '384m',
        ports: page('prometheus', prometheusPort),
        volumes: ['./observability/prometheus.yaml:/etc/prometheus/cloakroom.yaml:ro', 'prometheus:/prometheus'],
      },
      grafana: {
        image: images.grafana,
        ...shared,
        environment: {
          // Anyone who reaches loopback may look. Nobody can sign in, so there is no first password to change.
          GF_AUTH_ANONYMOUS_ENABLED: 'true',
          GF_AUTH_ANONYMOUS_ORG_ROLE: 'Viewer',
          GF_AUTH_DISABLE_LOGIN_FORM: 'true',
          GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION: 'true',
          GF_ANALYTICS_REPORTING_ENABLED: 'false',
          GF_ANALYTICS_CHECK_FOR_UPDATES: 'false',
          GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES: 'false',
          GF_NEWS_NEWS_FEED_ENABLED: 'false',
          GF_PLUGINS_PREINSTALL_DISABLED: 'true',
          GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH: '/etc/cloakroom/dashboards/cloakroom.json',
        },
        mem_limit: '384m',
        ports: page('grafana', 3_000),
        volumes: [
          './observability/datasources.yaml:/etc/grafana/provisioning/datasources/cloakroom.yaml:ro',
          './observability/dashboards.yaml:/etc/grafana/provisioning/dashboards/cloakroom.yaml:ro',
          './observability/dashboard.json:/etc/cloakroom/dashboards/cloakroom.json:ro',
          'grafana:/var/lib/grafana',
        ],
      },
    },
    volumes: { prometheus: {}, grafana: {} },
  };
}

function appsOf(base: number): readonly ProcessSpec[] {
  const { processes } = drawStack({ provider: 'docker', base, dataDir: dataInContainer });
  return processes.filter(({ run }) => run.kind === 'app');
}

/** A gateway exports its metrics on its own port, all others on their admin port: the port of their readiness in the drawing. */
export function drawPrometheus(base = defaultBase) {
  return {
    global: { scrape_interval: '5s', scrape_timeout: '3s' },
    scrape_configs: [
      {
        job_name: 'cloakroom',
        static_configs: appsOf(base).map(({ name, ports, run }) => ({
          targets: [`${name}:${ports.at(-1)}`],
          labels: { service: run.kind === 'app' ? run.app.app : name, process: name },
        })),
      },
    ],
  };
}

const dataSource = 'cloakroom-prometheus';

export const datasources = {
  apiVersion: 1,
  datasources: [
    {
      name: 'Prometheus',
      uid: dataSource,
      type: 'prometheus',
      access: 'proxy',
      url: `http://prometheus:${prometheusPort}`,
      isDefault: true,
    },
    { name: 'Jaeger', uid: 'cloakroom-jaeger', type: 'jaeger', access: 'proxy', url: 'http://jaeger:16686' },
  ],
};

export const dashboardProviders = {
  apiVersion: 1,
  providers: [{ name: 'cloakroom', type: 'file', allowUiUpdates: false, options: { path: '/etc/cloakroom/dashboards' } }],
};

const columns = 3;
const size = { h: 8, w: 8 };

export function drawDashboard() {
  return {
    uid: 'cloakroom',
    title: 'Cloakroom',
    editable: false,
    schemaVersion: 41,
    refresh: '5s',
    time: { from: 'now-15m', to: 'now' },
    templating: { list: [] },
    panels: panels.map(({ title, tells, unit, queries }, index) => ({
      id: index + 1,
      type: 'timeseries',
      title,
      description: tells,
      datasource: { type: 'prometheus', uid: dataSource },
      gridPos: { ...size, x: (index % columns) * size.w, y: Math.floor(index / columns) * size.h },
      fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
      targets: queries.map(({ query, legend }, number) => ({
        refId: String.fromCodePoint(65 + number),
        expr: query,
        legendFormat: legend,
      })),
    })),
  };
}

/** The addresses of the pages, for documents. */
export function pageUrls(base = defaultBase): Record<string, string> {
  const { gateways } = portsOf(base);
  return {
    shop: `http://localhost:${gateways[0]}`,
    ...Object.fromEntries(Object.entries(pages).map(([name, offset]) => [name, `http://localhost:${base + offset}`])),
  };
}
