/**
 * The switches as flags of OpenFeature: a flag for each fault, and its value is the strength in milliseconds. The experiment is the targeting key, and
 * `at` in the context is the place.
 */
import type { FaultName } from '@cloakroom/contracts';
import {
  type EvaluationContext,
  type JsonValue,
  type Provider,
  type ResolutionDetails,
  StandardResolutionReasons,
} from '@openfeature/server-sdk';
import type { Leases } from './leases.ts';

/** The value of a flag that is off. A fault without a strength is on with 0. */
export const off = -1;

export class SwitchProvider implements Provider {
  readonly runsOn = 'server';
  readonly metadata = { name: 'switches of the Observatory' };
  readonly #leases: Leases;

  constructor(leases: Leases) {
    this.#leases = leases;
  }

  resolveNumberEvaluation(flagKey: string, defaultValue: number, context: EvaluationContext): Promise<ResolutionDetails<number>> {
    const { targetingKey, at } = context;
    const found = this.#leases.find(flagKey as FaultName, typeof at === 'string' ? at : '', targetingKey, performance.now());
    if (found === undefined) return Promise.resolve(byDefault(defaultValue));
    const variant = found.experiment === undefined ? 'everybody' : 'mine';
    const flagMetadata = { switch: found.id };
    return Promise.resolve({ value: found.strengthMs, variant, flagMetadata, reason: StandardResolutionReasons.TARGETING_MATCH });
  }

  // Faults are numbers alone.
  resolveBooleanEvaluation = (_: string, value: boolean) => Promise.resolve(byDefault(value));
  resolveStringEvaluation = (_: string, value: string) => Promise.resolve(byDefault(value));
  resolveObjectEvaluation = <T extends JsonValue>(_: string, value: T) => Promise.resolve(byDefault(value));
}

const byDefault = <Value>(value: Value): ResolutionDetails<Value> => ({ value, reason: StandardResolutionReasons.DEFAULT });
