import type { OceanStatus } from '@cloakroom/contracts';
import type { ObservatoryConfig } from '../config.ts';

/** @returns undefined where there is no ocean, and where it does not answer; never rejects */
export type AskOcean = () => Promise<OceanStatus | undefined>;

/** It answers from memory, on loopback. The map asks once a second. */
const answerTimeoutMs = 900;

export function oceanAt({ OCEAN_URL: url, OCEAN_KEY: key }: Pick<ObservatoryConfig, 'OCEAN_URL' | 'OCEAN_KEY'>): AskOcean {
  if (url === '') return () => Promise.resolve(undefined);
  return async () => {
    try {
      const sent = { headers: { authorization: `Bearer ${key}` }, signal: AbortSignal.timeout(answerTimeoutMs) };
      const answer = await fetch(url, sent);
      return answer.ok ? ((await answer.json()) as OceanStatus) : undefined;
    } catch {
      // It was killed, or is paused.
      return undefined;
    }
  };
}
