/**
 * The suite `containers`: an engine, base images, then e2e/containers/ against them. Where an engine of the machine answers, the suite uses it and
 * real images.
 */
import { join } from 'node:path';
import { findDocker } from '../launch/docker.ts';
import { dataRoot, repository, toolsDir } from '../stack/folders.ts';
import type { Found, Say } from '../native/debian.ts';
import { forgetReport, noCounts, readPlaywrightReport, withExitCode } from './reports.ts';
import type { Counts } from './reports.ts';
import { defaultBase } from '../stack/stack.ts';
import { runCommand } from '../cli/tools.ts';
import { makeBaseImages, recipeOf } from '../engine/base-images.ts';
import { startEngine } from '../engine/engine.ts';
import type { Engine } from '../engine/engine.ts';
import { lacksEngine } from '../engine/programs.ts';

/** Uses an engine that answers. Otherwise it sets one up, or the suite is left out. */
export async function findEngine(): Promise<Found<'answers' | 'out of packages'>> {
  if ((await findDocker()).ok) return { ok: true, value: 'answers' };
  const lack = lacksEngine();
  return lack === undefined ? { ok: true, value: 'out of packages' } : { ok: false, ...lack };
}

/** @param onOutput gets the output of the tests, instead of the terminal */
export async function runContainers(say: Say, onOutput: ((text: string) => void) | undefined): Promise<Counts> {
  const began = performance.now();
  const passed = (what: string) => say(`${what} after ${((performance.now() - began) / 1000).toFixed(0)} s`);
  const found = await findEngine();
  if (found.ok && found.value === 'answers') return runTests([], {}, onOutput);
  const folder = join(toolsDir, `containers-${recipeOf()}`);
  const engine = await startEngine(toolsDir, join(folder, 'data'), join(dataRoot, 'containers', 'engine.log'), say);
  try {
    passed('an engine answers');
    await makeBaseImages(engine, folder, say);
    passed('base images are there');
    await removeLeftOvers(engine);
    return await runTests(engine.within, { ...engine.env, CLOAKROOM_E2E_PORT_BASE: String(defaultBase) }, onOutput);
  } finally {
    await engine.stop();
    passed('the engine has ended');
  }
}

/** Removes the remains of a killed run. Its containers would hold the ports, and its volumes would pass for data to keep. */
async function removeLeftOvers({ env }: Engine): Promise<void> {
  const script = 'docker ps --all --quiet | xargs --no-run-if-empty docker rm --force --volumes; docker volume prune --all --force';
  await runCommand('sh', ['-c', `{ ${script}; docker network prune --force; docker image prune --force; } > /dev/null`], { env });
}

async function runTests(
  within: readonly string[],
  env: Readonly<Record<string, string>>,
  onOutput: ((text: string) => void) | undefined,
): Promise<Counts> {
  const report = join(repository, 'test-results', 'containers.json');
  forgetReport(report);
  const [command, ...args] = [...within, join(repository, 'node_modules', '.bin', 'playwright'), 'test'];
  const code = await runCommand(command!, args, {
    cwd: join(repository, 'e2e'),
    env: { ...env, CLOAKROOM_E2E_PROVIDER: 'containers', CLOAKROOM_E2E_REPORT: 'containers' },
    onOutput,
  });
  return withExitCode(readPlaywrightReport(report) ?? noCounts, code);
}
