import { Counter } from 'prom-client';
import { metrics } from './admin.ts';

export const exportFailures = new Counter({
  name: 'telemetry_failed_exports_total',
  help: 'Exports of spans that the collector did not take.',
  registers: [metrics],
});
