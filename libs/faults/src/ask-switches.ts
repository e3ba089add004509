/** One question to the Observatory. Every wait has a bound, since a paused Observatory takes a question and never answers. */
import { randomBytes } from 'node:crypto';
import { get } from 'node:http';
import type { FaultSwitches } from '@cloakroom/contracts';
import { observatoryBearer, observatoryProofHeader } from '@cloakroom/platform';
import { readAnswer } from './read-answer.ts';

/** Beyond the wait that was asked for. */
const answerTimeoutMs = 1_000;
/** Far more than all switches of a shop. */
const bytesMax = 256 * 1024;

export interface Question {
  readonly url: string;
  readonly key: string;
  /** The revision that is known. '' is answered at once. */
  readonly seen: string;
  readonly waitMs: number;
  readonly signal: AbortSignal;
}

/** @throws when the Observatory is away, silent, or says something else */
export function askSwitches({ url, key, seen, waitMs, signal }: Question): Promise<FaultSwitches> {
  const nonce = randomBytes(16).toString('base64url');
  const address = new URL(
    `v1/faults?${new URLSearchParams({ nonce, seen, wait: String(waitMs) }).toString()}`,
    `${url.replace(/\/$/, '')}/`,
  );
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(waitMs + answerTimeoutMs)]);
  return new Promise((resolve, reject) => {
    const asked = get(address, { headers: { authorization: `Bearer ${observatoryBearer(key)}` }, signal: bounded }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
        if (text.length > bytesMax) response.destroy(new Error('the answer is too long'));
      });
      response.once('error', reject);
      response.once('end', () => {
        if (response.statusCode !== 200) return reject(new Error(`the Observatory answered ${response.statusCode}`));
        try {
          resolve(readAnswer({ body: text, proof: response.headers[observatoryProofHeader]?.toString() }, nonce, key));
        } catch (error) {
          reject(error as Error);
        }
      });
    });
    asked.once('error', reject);
  });
}
