/**
 * `npm start -- --inspect cart=9230` says which process takes a debugger, and on which port. The port is on loopback alone, since any client of it
 * can run code.
 */
import { InvalidArgumentError } from 'commander';
import { StackError } from './outcome.ts';
import type { ProcessSpec } from './stack.ts';

export interface Inspect {
  /** A process of the drawing, or an app. An app with several replicas means its first. */
  readonly service: string;
  readonly port: number;
}

/** Node's own default port. A further service takes the next one. */
const firstPort = 9229;

/** Parses one `--inspect`, after the earlier ones. */
export function parseInspect(text: string, earlier: readonly Inspect[] = []): Inspect[] {
  const [, service, told] = /^([a-z][a-z0-9-]*)(?:=(\d{1,5}))?$/.exec(text) ?? [];
  if (service === undefined) throw new InvalidArgumentError('a service, or service=port: cart, gateway-2=9231');
  const port = told === undefined ? nextFree(earlier) : Number(told);
  if (port < 1024 || port > 65_535) throw new InvalidArgumentError('a port from 1024 to 65535');
  if (earlier.some((one) => one.port === port)) throw new InvalidArgumentError(`port ${port} is given twice`);
  return [...earlier, { service, port }];
}

function nextFree(earlier: readonly Inspect[]): number {
  let port = firstPort;
  while (earlier.some((one) => one.port === port)) port++;
  return port;
}

/** @throws StackError when the drawing has no such Node process */
export function checkInspect(wanted: readonly Inspect[], processes: readonly ProcessSpec[]): void {
  for (const { service } of wanted) {
    if (processes.some((spec) => namesOf(spec).includes(service))) continue;
    const names = [...new Set(processes.flatMap(namesOf))].join(', ');
    throw new StackError(`--inspect: there is no Node process for ${service}`, `one of ${names}`);
  }
}

/** Node's arguments for this process. A process that runs several services has one debugger, on the first port asked for. */
export function inspectArguments(wanted: readonly Inspect[], spec: ProcessSpec): string[] {
  const one = wanted.find(({ service }) => namesOf(spec).includes(service));
  return one === undefined ? [] : [`--inspect=127.0.0.1:${one.port}`];
}

function namesOf({ name, run }: ProcessSpec): string[] {
  if (run.kind === 'embedded') return [name, ...run.apps.map(({ app }) => app), 'gateway-1', 'gateway-2'];
  if (run.kind !== 'app') return [];
  return name.endsWith('-1') ? [name, run.app.app] : [name];
}
