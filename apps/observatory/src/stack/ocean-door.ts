/** The door of the ocean between two regions. The key of that door stays in this process: the page gives commands with its own key. */
import type { OceanStatus } from '@cloakroom/contracts';
import type { ObservatoryConfig } from '../config.ts';
import { Refusal } from '../edge/refusal.ts';

/** It answers from memory, on loopback. The map asks once a second. */
const answerTimeoutMs = 900;
/** A person waits for a command, so a machine that is busy gets more time. */
const obeyTimeoutMs = 5_000;

export interface OceanDoor {
  /** @returns undefined where there is no ocean, and where it does not answer; never rejects */
  ask(): Promise<OceanStatus | undefined>;
  /**
   * Passes a command on. The ocean alone decides what a command is (OceanCommand of libs/contracts).
   * @returns its state after the command
   * @throws Refusal
   */
  tell(command: unknown): Promise<OceanStatus>;
}

export function oceanAt({ OCEAN_URL: url, OCEAN_KEY: key }: Pick<ObservatoryConfig, 'OCEAN_URL' | 'OCEAN_KEY'>): OceanDoor {
  const headers = { authorization: `Bearer ${key}` };
  return {
    ask: async () => {
      if (url === '') return undefined;
      try {
        const answer = await fetch(url, { headers, signal: AbortSignal.timeout(answerTimeoutMs) });
        return answer.ok ? ((await answer.json()) as OceanStatus) : undefined;
      } catch {
        // It was killed, or is paused.
        return undefined;
      }
    },
    tell: async (command) => {
      if (url === '') throw new Refusal('not_found', 'This shop has one region, and no ocean. npm start -- --profile regions starts two.');
      const sent = { method: 'POST', headers, body: JSON.stringify(command ?? null), signal: AbortSignal.timeout(obeyTimeoutMs) };
      const answer = await fetch(url, sent).catch((error: unknown) => {
        throw new Refusal('ocean_away', awayWords(error));
      });
      const said = (await answer.json().catch(() => ({}))) as OceanStatus & { readonly detail?: string };
      if (answer.ok) return said;
      throw new Refusal(answer.status === 400 ? 'invalid_request' : 'ocean_away', `The ocean says: ${said.detail ?? answer.status}.`);
    },
  };
}

const awayWords = (error: unknown): string =>
  (error as Error).name === 'TimeoutError'
    ? 'The ocean did not answer within 5 s. Where it is paused, it may still take this command when it goes on.'
    : 'The ocean does not run now, so nothing was changed. It begins healed when it is started again.';
