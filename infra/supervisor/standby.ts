/**
 * A warm standby: the successor of a process, started early. It has loaded the code that will not change, and waits for the word to begin
 * (standby.main.ts). Most of a start is reading code.
 */
import { launch } from './child.ts';
import type { Child, LaunchSpec } from './child.ts';

/** To the standby: what it loads, as URLs of modules; then the word. */
export type ToStandby = { readonly load: readonly string[] } | { readonly begin: true };

const main = new URL('standby.main.ts', import.meta.url).href;

/**
 * @param spec the command of a Node process
 * @returns undefined for one with a debugger, whose port is free only after the end of the process that has it
 */
export function launchStandby(spec: LaunchSpec, modules: readonly string[]): Child | undefined {
  if (spec.args.some((argument) => argument.startsWith('--inspect'))) return undefined;
  const child = launch({ ...spec, args: ['--import', main, ...spec.args], channel: true });
  tell(child, { load: modules });
  return child;
}

/** Ends its waiting. The process must find its ports free. @returns the same process */
export function beginStandby(child: Child): Child {
  tell(child, { begin: true });
  return child;
}

const tell = (child: Child, message: ToStandby): void => child.send(message, () => undefined);
