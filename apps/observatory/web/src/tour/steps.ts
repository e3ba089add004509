/** The steps of docs/tour.md, each with the sign by which the Observatory sees that it was done. */
import type { ProcessView, RequestSummary } from '../../../src/api.ts';
import { isPageLoad } from '../api/request-log.ts';

/** All that is known at one moment. */
export interface Seen {
  /** The trainee's own requests, newest first. */
  readonly mine: readonly RequestSummary[];
  readonly others: readonly RequestSummary[];
  /** Faults that this trainee met since the page was opened. */
  readonly faults: readonly FaultSeen[];
  /** Processes that were started again since this page first saw them. */
  readonly restarted: readonly ProcessView[];
}

/** A fault, from the first moment at which this page saw it on until the last one. */
export interface FaultSeen {
  readonly id: string;
  readonly name: string;
  readonly fromMs: number;
  readonly untilMs: number;
}

/** As many as a person switches on in a tour and some more. */
const metCountMax = 50;

export function withSightings(
  met: readonly FaultSeen[],
  on: readonly Pick<FaultSeen, 'id' | 'name'>[],
  nowMs: number,
): readonly FaultSeen[] {
  const known = new Map(met.map((one) => [one.id, one]));
  for (const { id, name } of on) known.set(id, { id, name, fromMs: known.get(id)?.fromMs ?? nowMs, untilMs: nowMs });
  return [...known.values()].slice(-metCountMax);
}

export interface Step {
  readonly id: string;
  readonly title: string;
  readonly predict: string;
  readonly act: string;
  readonly look: string;
  readonly means: string;
  /** The view where it shows. */
  readonly to: string;
  /** The page of the second gateway where the step begins. */
  readonly secondGateway?: string;
  /** Its sign is gone with the fault. */
  readonly needsFaults?: true;
  readonly isDone: (seen: Seen) => boolean;
}

const asked = (requests: readonly RequestSummary[], name: string) => requests.filter((request) => request.name === name);
/** The trainee's requests that began while the fault was on. Their spans may come much later. */
const whileOn = ({ mine, faults }: Seen, fault: string, request: string): readonly RequestSummary[] =>
  asked(mine, request).filter(({ startedAtMs }) =>
    faults.some(({ name, fromMs, untilMs }) => name === fault && fromMs <= startedAtMs && startedAtMs <= untilMs),
  );

/**
 * The page reads the cart after each addition, and asks for the picture of its line. So neither is a sign that somebody looked at the cart. A page that
 * is loaded anew asks for itself first.
 */
function isCartPageLoaded(mine: readonly RequestSummary[]): boolean {
  const addedAtMs = Math.min(...asked(mine, 'POST /api/cart/lines').map(({ startedAtMs }) => startedAtMs));
  const loadedAtMs = Math.min(...mine.filter(isPageLoad).flatMap(({ startedAtMs }) => (startedAtMs > addedAtMs ? [startedAtMs] : [])));
  return asked(mine, 'GET /api/cart').some(({ decision, startedAtMs }) => decision?.includes('hit') === true && startedAtMs > loadedAtMs);
}

export const steps: readonly Step[] = [
  {
    id: 'one-request',
    title: 'One request',
    predict: 'You have no session now. How many parts of the shop does one “Add to cart” need, and for which does it wait longest?',
    act: 'Open the shop in a second window of this browser, search for “scraf”, open the scarf, and add it to the cart.',
    look: 'POST /api/cart/lines in your requests: the bold line is what you waited for.',
    means: 'The log has your line, so the answer came at once. The view of your cart follows a moment later.',
    to: '/requests',
    isDone: ({ mine }) => asked(mine, 'POST /api/cart/lines').some(({ status }) => status === 202),
  },
  {
    id: 'who-decided',
    title: 'Who decided who you are',
    predict: 'The gateway knows you from a moment ago. Does it ask auth again?',
    act: 'Open the cart page of the shop, and reload it.',
    look: 'GET /api/cart, and in it the hop CartService/GetCart: who was believed there, and why.',
    means:
      'The gateway found you in its cache, and had heard from the revocation feed less than 2 s ago. cart checked your passport itself.',
    to: '/requests',
    isDone: ({ mine }) => isCartPageLoaded(mine),
  },
  {
    id: 'other-window',
    title: 'Why the other window changed',
    predict: 'You sign in on a second device, and then here. Does the answer wait until the other device shows your guest’s cart?',
    act: 'Open the second gateway in a private window. Sign in there as ada@example.com (correct horse battery staple), and open its cart. Then sign in as Ada in the shop’s window of this browser too.',
    look: 'Your POST /api/session/login: below the bold line a way leads through two logs up to the page on the other device.',
    means:
      'One trace leads from your click to the screen of your other device. Your answer waited for the password check, not for the log. What is shaded came after the answer. The rest of that way ended even before it.',
    secondGateway: '/sign-in',
    to: '/requests',
    isDone: ({ mine, others }) =>
      asked(others, 'POST /api/session/login').some(({ status }) => status === 200) &&
      asked(mine, 'POST /api/session/login').some(({ status, toldPage }) => status === 200 && toldPage),
  },
  {
    id: 'lost-answer',
    title: 'An answer is lost, for you alone',
    predict:
      'cart does the work, and the connection breaks before it says so. What may the shop tell you: that it worked, or that it failed?',
    act: 'Switch on “An answer is lost” for CartService/AddItem, for you alone, and add a product. Then end the fault.',
    look: 'The shop says that it is not sure yet, and that the addition counts once. The same addition stands here several times.',
    means: 'Neither answer would be true. The page asks again under the same command id, and a command counts once.',
    to: '/faults',
    needsFaults: true,
    isDone: (seen) => whileOn(seen, 'rpc-answer-lost', 'POST /api/cart/lines').some(({ status }) => (status ?? 0) >= 500),
  },
  {
    id: 'held-view',
    title: 'The view stands still, for everybody',
    predict: 'The projector is held. Is a write still taken? What does the cart page show?',
    act: 'Switch on “The projector stands still”, add a product, and open the cart page. Then end the fault.',
    look: 'The shop’s bar says “behind by 1”, and the page says that all changes are saved.',
    means: 'The log took your write, and the log is the cart. The view is a copy that may be late, and it says so.',
    to: '/faults',
    needsFaults: true,
    isDone: (seen) => whileOn(seen, 'projector-held', 'POST /api/cart/lines').some(({ status }) => status === 202),
  },
  {
    id: 'end-a-device',
    title: 'End a device',
    predict: 'Both gateways have the other window’s session in their cache. You end it here. When is it refused?',
    act: 'In the shop: Account, Devices, “End all others”. Then sign in there in the mode JWT, reload Devices here, and do it again.',
    look: 'The private window is signed out at once. Here the user’s session that is marked “ended” has a stopwatch. In the mode JWT it goes on for up to 5 minutes.',
    means: 'auth’s revocation reaches every gateway by the log. A self-contained token is believed until it ends, whoever holds it.',
    to: '/sessions',
    isDone: ({ mine }) =>
      mine.some(({ name, status }) => name.startsWith('DELETE /api/session/devices') && status !== undefined && status < 300),
  },
  {
    id: 'kill',
    title: 'Kill something',
    predict: 'A process dies in the middle of your shopping. What is lost?',
    act: 'Open the Map, choose a process, and kill it. Go on shopping.',
    look: 'The supervisor starts it again. Your cart and your session are still there.',
    means: 'No process owns a session or a cart. Redis, the log and the databases hold them.',
    to: '/map',
    isDone: ({ restarted }) => restarted.some(({ kind }) => kind !== 'observatory'),
  },
];
