/** This process about itself: whether it is alive and ready, its metrics, its contract, and the keys that verify passports. */
import { isProblem, problem } from '@cloakroom/contracts';
import { metrics, readinessAnswer } from '@cloakroom/platform';
import { z } from 'zod';
import { type Exchange, type Outcome, outgoing } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';

export const aliveSchema = z.object({ alive: z.boolean() });
export const readinessSchema = z
  .object({ ready: z.boolean(), degraded: z.array(z.string()), parts: z.record(z.string(), z.looseObject({ ok: z.boolean() })) })
  .meta({ id: 'Readiness' });
export const jwksSchema = z.object({ keys: z.array(z.looseObject({ kid: z.string() })) }).meta({ id: 'JwkSet', description: 'RFC 7517' });

export const isAlive = (): Outcome => ({ status: 200, body: { alive: true } });

// Probes and Prometheus ask the process itself. A request through a proxy comes from the public, so the next two answer it with `not_found`.

export async function isReady(exchange: Exchange, gateway: Pick<Gateway, 'look'>): Promise<Outcome> {
  return exchange.proxied ? problem('not_found') : readinessAnswer(await gateway.look());
}

export async function readMetrics(exchange: Exchange, gateway: Pick<Gateway, 'readMetrics'>): Promise<Outcome> {
  return exchange.proxied ? problem('not_found') : { status: 200, body: await gateway.readMetrics(), contentType: metrics.contentType };
}

/** The last set that was fetched is as good as a new one: keys are published before they sign. */
export async function readJwks(exchange: Exchange, gateway: Pick<Gateway, 'auth' | 'jwks'>): Promise<Outcome> {
  let jwks = gateway.jwks();
  if (jwks === undefined) {
    const answer = await gateway.auth.getKeys(outgoing(exchange), {});
    if (isProblem(answer)) return problem('unavailable');
    jwks = answer.jwks;
  }
  return {
    status: 200,
    body: jwks,
    contentType: 'application/jwk-set+json',
    headers: { 'cache-control': `public, max-age=${jwksMaxAgeS}` },
  };
}

/** The feed refuses a retired key at once. This only bounds how long an outside tool sees an old set. */
const jwksMaxAgeS = 60;
