/**
 * `npm run certificates -- rotate`: gives a running shop a new authority and new certificates, without a lost request. After each step the command
 * checks by metrics that every process uses the new files (libs/mesh, tls.rotate.ts).
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { rotateCertificates as rotate, type Step } from '@cloakroom/mesh';
import { StackError } from '../stack/outcome.ts';
import { runningShop } from './running-shop.ts';
import { certificateNames } from '../launch/secrets.ts';
import { meshNames, serviceOf } from '../stack/stack.spec.ts';
import type { ProcessEntry } from '../supervisor/state.ts';

/** A process looks at its files each second and connects anew in milliseconds. A process that restarts meanwhile takes a few seconds. */
const takenWithinMs = 30_000;
const askIntervalMs = 200;
const answerWithinMs = 2_000;

/** @param portBase of the shop that is meant; its regions share their certificates. @returns the exit code */
export async function rotateCertificates(portBase: number | undefined, print: (line: string) => void): Promise<number> {
  const { state, tlsDir } = runningShop({ portBase });
  if (tlsDir === undefined)
    throw new StackError('embedded has no certificates: its services are one process', 'npm start -- --infra native has');
  const startedMs = performance.now();
  await rotate(tlsDir, certificateNames, {
    nowMs: Date.now(),
    taken: async (step) => {
      await takenByAll(state.processes.filter(isService), step);
      print(`${step.what}: in use everywhere after ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
    },
  });
  print('The old authority is trusted by nobody any more.');
  return 0;
}

const isService = ({ name }: ProcessEntry): boolean => meshNames.some((one) => one === serviceOf(name));

/** @throws StackError naming the processes that do not use the step in time; everything goes on working then, and the command may be given again */
async function takenByAll(services: readonly ProcessEntry[], step: Step): Promise<void> {
  const untilMs = performance.now() + takenWithinMs;
  for (let lagging = services; ; await delay(askIntervalMs)) {
    const uses = await Promise.all(lagging.map((entry) => usesIt(entry, step)));
    lagging = lagging.filter((_, i) => !uses[i]);
    if (lagging.length === 0) return;
    if (performance.now() > untilMs)
      throw new StackError(
        `${lagging.map(({ name }) => name).join(', ')} did not take it: ${step.what}`,
        'see their logs, then give the command again',
      );
  }
}

async function usesIt({ name, health }: ProcessEntry, { authorities, certificates }: Step): Promise<boolean> {
  if (health.kind !== 'http') return true;
  const certificate = certificates.get(serviceOf(name));
  const wanted = `mesh_certificate_info{certificate="${certificate}",authorities="${authorities}"} 1`;
  try {
    const answers = await Promise.all(
      health.urls.map(async (url) => (await fetch(new URL('/metrics', url), { signal: AbortSignal.timeout(answerWithinMs) })).text()),
    );
    return answers.every((text) => text.includes(wanted));
  } catch {
    return false;
  }
}
