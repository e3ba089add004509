import { problem, type Problem, productIdPattern, type RecordViewRequest } from '@cloakroom/contracts';
import type { PersonContext } from '@cloakroom/mesh';
import { lockProfile, trimViews, type Database } from './profiles.ts';

/** A product seen again moves to the front. */
export async function recordView(
  db: Database,
  ctx: PersonContext,
  request: Pick<RecordViewRequest, 'productId'>,
  nowMs: number,
): Promise<Record<string, never> | Problem> {
  if (!productIdPattern.test(request.productId)) return problem('invalid_request', 'productId: letters, digits, - and _');
  const { subject } = ctx.identity;
  return db.transaction().execute(async (trx) => {
    const { joinedTo } = await lockProfile(trx, subject, nowMs);
    if (joinedTo !== '') return problem('session_ended');
    await trx
      .insertInto('views')
      .values({ subject, product_id: request.productId, viewed_at_ms: nowMs })
      .onConflict((conflict) => conflict.columns(['subject', 'product_id']).doUpdateSet({ viewed_at_ms: nowMs }))
      .execute();
    await trimViews(trx, subject);
    return {};
  });
}
