/**
 * Believes an answer only if it proves that the Observatory made it for this question, and only within the bounds of each fault. Another process may
 * listen at the Observatory's port.
 */
import { timingSafeEqual } from 'node:crypto';
import { faultKinds, faultMaxMs, faultNames, type FaultSwitch, type FaultSwitches } from '@cloakroom/contracts';
import { observatoryProof } from '@cloakroom/platform';
import { z } from 'zod';

/** As many as the Observatory lets be on. */
const switchCountMax = 32;
/** A process of the drawing has two at most. */
const portCountMax = 8;
const name = z.string().min(1).max(128);

const isWithinBounds = ({ fault, strengthMs, at, experiment }: FaultSwitch): boolean => {
  const { strength, reach, needsAt } = faultKinds[fault];
  const strong = strength === undefined ? strengthMs === 0 : strengthMs >= strength.minMs && strengthMs <= strength.maxMs;
  return strong && (reach === 'mine' || experiment === undefined) && (!needsAt || at !== undefined);
};

const answer = z.object({
  revision: name,
  switches: z
    .array(
      z
        .object({
          id: name,
          fault: z.enum(faultNames),
          strengthMs: z.number(),
          at: name.optional(),
          experiment: name.optional(),
          leftMs: z.number().min(0).max(faultMaxMs),
          ends: z
            .object({ pid: z.number().int().min(1), ports: z.array(z.number().int().min(1).max(65_535)).max(portCountMax) })
            .optional(),
        })
        .refine(isWithinBounds, 'outside of the bounds of its fault'),
    )
    .max(switchCountMax),
});

export interface Answer {
  readonly body: string;
  readonly proof: string | undefined;
}

/** @throws for any answer that cannot be believed */
export function readAnswer({ body, proof = '' }: Answer, nonce: string, key: string): FaultSwitches {
  const expected = Buffer.from(observatoryProof(key, nonce, body));
  const shown = Buffer.from(proof);
  if (shown.length !== expected.length || !timingSafeEqual(shown, expected)) throw new Error('the answer is not the Observatory’s');
  return answer.parse(JSON.parse(body));
}
