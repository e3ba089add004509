/** Where a key ring gets its keys: from auth, over the mesh. */
import { randomBytes } from 'node:crypto';
import { type AuthService, isProblem, type Problem } from '@cloakroom/contracts';
import type { MeshClient } from '@cloakroom/mesh';
import { startTrace } from '@cloakroom/platform';

/** The budget that GetKeys has in its contract; the ring asks in the background. */
const keysBudgetMs = 1_000;

/** @returns for openKeyRing: answers with a JWK Set as JSON, or with why not */
export function jwksFrom(auth: MeshClient<typeof AuthService>): () => Promise<string | Problem> {
  return async () => {
    const answer = await auth.getKeys({ budgetMs: keysBudgetMs, trace: startTrace(randomBytes) }, {});
    return isProblem(answer) ? answer : answer.jwks;
  };
}
