/**
 * The auth of the other region. A shop of one region has none, and then every account lives here.
 *
 * An account has one home, whose auth alone can check its password and open its sessions. So the auth of another region only carries the question
 * there. It keeps nothing that it could use without home.
 */
import { isProblem, type ErrorCode, problem, type Problem, RegionsService } from '@cloakroom/contracts';
import { connectMesh, type MeshClient, type MeshTls, type OutgoingCall } from '@cloakroom/mesh';
import type { Logger, OtherRegion } from '@cloakroom/platform';

export interface Abroad {
  readonly region: string;
  readonly client: Pick<
    MeshClient<typeof RegionsService>,
    'loginAtHome' | 'loginSecondFactorAtHome' | 'loginWithPasskeyAtHome' | 'claimAddress' | 'giveUpAddress' | 'claimGuest'
  >;
}

/** Home may delay its answer to a guess by 1.6 s (throttle.ts), and its hash may wait for half a second. */
const answerBudgetMs = 3_500;
/** Left of the request's own budget for what is done here afterwards, and for the answer to the gateway. */
const spareMs = 300;
/** A retry sooner than this would only sit out the same time-outs. */
const retryAfterS = 5;

export function openAbroad({ region, authAddress }: OtherRegion, tls: MeshTls | undefined, log: Logger): Abroad & { close(): void } {
  const { client, close } = connectMesh(RegionsService, { address: authAddress, tls, log });
  return { region, client, close };
}

/**
 * @param call of the request that asks; its budget is a bound besides
 * @param options.verdicts the refusals of home that are told. Any other Problem is home's own trouble, and some of it meets only real questions.
 * @returns `home_region_unreachable` where the other region did not answer in time, or not with a verdict
 */
export async function askAbroad<Answer extends object>(
  call: OutgoingCall,
  ask: (sent: OutgoingCall) => Promise<Answer | Problem>,
  {
    verdicts,
    detail,
    budgetMs = answerBudgetMs,
  }: { readonly verdicts: ReadonlySet<ErrorCode>; readonly detail: string; readonly budgetMs?: number },
): Promise<Answer | Problem> {
  // The browser must not see how long home took, nor for what.
  const answer = await ask({ ...call, onTiming: undefined, budgetMs: Math.min(budgetMs, call.budgetMs - spareMs) });
  return isProblem(answer) && !verdicts.has(answer.problem) ? problem('home_region_unreachable', detail, retryAfterS) : answer;
}
