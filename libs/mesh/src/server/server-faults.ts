/**
 * Faults at an rpc, asked once for each call and before anything else of it: wait, fail, or do the work and lose its answer. A fault for one
 * experiment is met by the calls of that experiment alone.
 */
import { problem } from '@cloakroom/contracts';
import { troubleAt, waitInTrouble, withExperiment } from '@cloakroom/platform';
import type { ServerCall } from './server-call.ts';

/** Runs the rest of a call, while a switch is on. @param method "cloakroom.cart.v1.CartService/GetCart" */
export async function respondInTrouble(begun: ServerCall, method: string, respond: (begun: ServerCall) => Promise<void>): Promise<void> {
  const { experiment } = begun;
  const asked = await troubleAt('rpc', method, experiment);
  const trouble = asked !== undefined && (await waitInTrouble(asked, begun.signal, [begun.span])) ? asked : undefined;
  if (trouble?.fails === true) return void begun.end(problem('unavailable', undefined, 1));
  if (begun.signal.aborted) return;
  const rest = trouble?.losesAnswer === true ? withoutAnswer(begun) : begun;
  await withExperiment(experiment, () => respond(rest), begun.signal);
}

/** A refusal arrives as usual: then nothing was done, and nothing is unknown. */
function withoutAnswer(begun: ServerCall): ServerCall {
  return {
    ...begun,
    end(outcome) {
      if (outcome !== 'ok') return begun.end(outcome);
      begun.breakOff();
      return true;
    },
  };
}
