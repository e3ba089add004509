import { metrics } from '@cloakroom/platform';
import { Counter } from 'prom-client';

export const refusedPassports = new Counter({
  name: 'mesh_refused_passports_total',
  help: 'Passports that were refused, by reason.',
  labelNames: ['audience', 'reason'] as const,
  registers: [metrics],
});
