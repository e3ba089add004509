import { metrics } from '@cloakroom/platform';
import { Counter, Gauge } from 'prom-client';

export const refusedPassports = new Counter({
  name: 'mesh_refused_passports_total',
  help: 'Passports that were refused, by reason.',
  labelNames: ['audience', 'reason'] as const,
  registers: [metrics],
});

/** An operator asks every process before auth signs by a new algorithm (infra/cli/rotate-keys.ts). */
export const verifiedAlgorithms = new Gauge({
  name: 'mesh_passport_algorithm_info',
  help: '1 for each algorithm of passports that this build verifies.',
  labelNames: ['algorithm'] as const,
  registers: [metrics],
});
