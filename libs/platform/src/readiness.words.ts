/** /readyz of processes, read into words: for `npm run status`, and for the Observatory's map. */
import type { PartStatus } from './readiness.ts';

export interface ReadinessLook {
  readonly state: 'ready' | 'degraded' | 'not ready' | 'no answer';
  /** The functions that fail, in words. */
  readonly words: readonly string[];
}

/** /readyz answers within 2 s. */
const askMaxMs = 2_500;
const worstFirst: readonly ReadinessLook['state'][] = ['no answer', 'not ready', 'degraded', 'ready'];

/** @param urls each service of the process; in embedded several share it, and some say the same words */
export async function askReadiness(urls: readonly string[]): Promise<ReadinessLook> {
  const told = await Promise.all(urls.map(askOne));
  const state = worstFirst.find((worst) => told.some((look) => look.state === worst)) ?? 'ready';
  return { state, words: [...new Set(told.flatMap(({ words }) => words))] };
}

/** State and words come from one answer: a second question could get another answer, or come too late. */
async function askOne(url: string): Promise<ReadinessLook> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(askMaxMs) });
    const { degraded = [], parts = {} } = (await answer.json()) as { degraded?: string[]; parts?: Record<string, PartStatus> };
    const words = [...Object.entries(parts).flatMap(([name, { ok }]) => (ok ? [] : [`${name} is not ready`])), ...degraded];
    if (!answer.ok) return { state: 'not ready', words };
    return { state: words.length === 0 ? 'ready' : 'degraded', words };
  } catch {
    return { state: 'no answer', words: [] };
  }
}
