/** Promises under faults that take no part away, so the failure matrix has no row for them. Those of the tour are here. */
import { failureOperations, failureOutcomes, type FailureOperation, type FaultSwitch } from '@cloakroom/contracts';

/** The operations of which something is promised. Of the others nothing is. */
export type FaultPromises = Readonly<Partial<Record<FailureOperation, string>>>;

const works = failureOutcomes.works.text;
const allWork = Object.fromEntries(Object.keys(failureOperations).map((name) => [name, works])) as Readonly<
  Record<FailureOperation, string>
>;
/** e2e/faults/faults-meet-one-trainee.e2e.ts and e2e/carts/one-command-counts-once.e2e.ts */
const lostAddition: FaultPromises = {
  ...allWork,
  cartWrite: '503 `outcome_unknown`: it counts once, however often it is repeated',
};
/** A sign-in merges carts, a check-out reads one, and a stream tells of changes. Each waits for the view in its own way, so none is promised here. */
const heldView: FaultPromises = {
  public: works,
  cartWrite: works,
  cartRead: 'works, and is marked as behind',
  session: works,
  profileRead: works,
  profileWrite: works,
  ordersRead: works,
  sensitive: works,
  logout: works,
};

export function promisesUnder({ fault, at }: FaultSwitch): FaultPromises | undefined {
  if (fault === 'projector-held') return heldView;
  return fault === 'rpc-answer-lost' && at === 'CartService/AddItem' ? lostAddition : undefined;
}
