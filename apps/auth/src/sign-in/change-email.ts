/**
 * Sets a new e-mail address. When two people want one address, the region that decides it and then the unique column decide. Profile follows by the
 * event, in order for each person.
 */
import { type ChangeEmailRequest, isProblem, problem, type Problem } from '@cloakroom/contracts';
import { forward, type PersonContext } from '@cloakroom/mesh';
import { accountByEmail, accountById, emailSchema, violations } from '../accounts/accounts.ts';
import { promiseAddress, toldColumns } from '../accounts/addresses.ts';
import type { Auth } from '../auth.ts';
import { newEventId } from '../database/ids.ts';
import { recordNotice } from '../accounts/notices.ts';
import { announceIdentity } from '../database/outbox.ts';
import { type Issued, issueTokens } from '../tokens/issue-tokens.ts';
import { ownSession, rotateOwn } from '../tokens/rotate-own.ts';
import { raiseProofVersion } from '../accounts/still-proven.ts';

export async function changeEmail(auth: Auth, ctx: PersonContext, request: ChangeEmailRequest): Promise<Issued | Problem> {
  const given = emailSchema.safeParse(request.email);
  if (!given.success) return problem('invalid_request', violations(given.error));
  const email = given.data;
  const session = await ownSession(auth, ctx, request.token);
  if (isProblem(session)) return session;
  // People who ask for taken e-mails can count accounts, so each request costs an attempt, like a wrong password. The caller counts as a stranger:
  // their own session proves nothing about another account. Otherwise anyone with many sessions could ask for ever.
  const attempt = await auth.throttle.begin({ at: 'taken-email', of: session.subject, address: request.remoteAddress, known: 'stranger' });
  if (isProblem(attempt)) return attempt;
  const holder = await accountByEmail(auth.database, email);
  if (holder !== undefined && holder.id !== session.subject) return problem('email_taken');
  const promised = holder === undefined ? await promiseAddress(auth, forward(ctx), email) : undefined;
  const isRefused = promised !== undefined && 'refusal' in promised;
  if (!isRefused || !promised.tells) await attempt.succeeded();
  if (isRefused) return promised.refusal;
  const nowMs = auth.clock.nowMs();
  const changed = await auth.outbox.commit(async (trx) => {
    const taken = await trx.selectFrom('accounts').select('id').where('email', '=', email).executeTakeFirst();
    // Every change of an e-mail runs in such a transaction, and these run one at a time (outbox.ts).
    if (taken !== undefined) return taken.id === session.subject;
    if ((await promised?.keep(trx)) !== true) return false;
    await trx
      .updateTable('accounts')
      .set({ email, ...toldColumns(auth, email) })
      .where('id', '=', session.subject)
      .execute();
    await raiseProofVersion(trx, session.subject);
    await recordNotice(trx, session.subject, 'email_changed', nowMs);
    await announceIdentity(trx, ctx, session.subject, {
      eventId: newEventId(auth, nowMs),
      atMs: BigInt(nowMs),
      event: { case: 'emailChanged', value: { userId: session.subject, email } },
    });
    return true;
  });
  if (!changed) return problem('email_taken');
  const account = await accountById(auth.database, session.subject);
  if (account === undefined) return problem('session_ended');
  const rotated = await rotateOwn(auth, ctx, session, 'earlier');
  return isProblem(rotated) ? rotated : issueTokens(auth, rotated.session, account, rotated.token, rotated.atMs);
}
