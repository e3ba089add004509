/**
 * `npm run bench -- young-generation`: the processor time of a request to embedded with the small young generation that its launch has, and with
 * Node's own. Node fixes the size at a start, so several processes of each kind are compared (decision 0023).
 */
import type { LaunchSpec } from '../../../infra/supervisor/child.ts';
import { startStack, type RunningStack } from '../../../infra/launch/harness.ts';
import { align } from '../../../infra/cli/status.ts';
import { us } from '../measuring/figures.ts';
import { checked, Load, openGenerator, systemCpuUs, type Generator } from '../measuring/load.ts';
import { pinned, pinSelf } from '../measuring/machine.ts';
import { register, signInAll } from '../measuring/people.ts';
import { rotated, standardError } from '../measuring/statistics.ts';

const kinds = ['small', 'usual', 'usual again (A/A)'] as const;
type Kind = (typeof kinds)[number];

export interface YoungGenerationRequest {
  readonly base: number;
  /** Processes of each kind. */
  readonly processes: number;
  readonly rounds: number;
  readonly seconds: number;
}

interface Shop {
  readonly kind: Kind;
  readonly stack: RunningStack;
  readonly load: Load;
  readonly cpuUs: number[];
}

const portsOfOne = 200;
const personCount = 5;
const connections = 4;

export async function benchYoungGeneration(request: YoungGenerationRequest): Promise<void> {
  pinSelf();
  const generator = await openGenerator(`/tmp/cloakroom-bench-young-${process.pid}`);
  const shops: Shop[] = [];
  try {
    for (let n = 0; n < request.processes; n++)
      for (const kind of kinds) shops.push(await openShop(kind, request.base + shops.length * portsOfOne, generator));
    for (let round = -1; round < request.rounds; round++) {
      for (const shop of rotated(shops, round + 1)) {
        const how = { kind: 'closed', connections, seconds: request.seconds, warmUpSeconds: 0.2 } as const;
        const block = checked(await generator.run(shop.load, how, { cloakroom: shop.stack.process('cloakroom').pid()! }), shop.kind);
        // The first round is for the optimising compiler.
        if (round >= 0) shop.cpuUs.push(systemCpuUs(block));
      }
    }
  } finally {
    for (const { stack } of shops) await stack.stop();
    await generator.stop();
  }
  say(shops, request);
}

async function openShop(kind: Kind, base: number, generator: Generator): Promise<Shop> {
  const launch = (_: unknown, spec: LaunchSpec): LaunchSpec => {
    const args = kind === 'small' ? spec.args : spec.args.filter((arg) => !arg.startsWith('--max-semi-space-size'));
    const [command, pinnedArgs] = pinned('system', spec.command, args);
    return { ...spec, command, args: pinnedArgs };
  };
  const limits = { RATE_LIMIT_PER_10S: '10000000', SIGN_IN_LIMIT_PER_MINUTE: '10000000' };
  const stack = await startStack({ provider: 'embedded', base, fresh: true, logLevel: 'warn', limits, reshape: { launch } });
  const [gateway] = stack.gateways;
  const people = (await signInAll(gateway, await register(gateway, personCount), 'hybrid'))!;
  const load = new Load(gateway.replace('localhost', '127.0.0.1'), '/api/cart', generator.headers(String(base), people));
  return { kind, stack, load, cpuUs: [] };
}

function say(shops: readonly Shop[], { processes, rounds, seconds }: YoungGenerationRequest): void {
  const meansOf = (kind: Kind): number[] => shops.filter((shop) => shop.kind === kind).map(({ cpuUs }) => mean(cpuUs));
  const usual = meansOf('usual');
  const rows = [['young generation', 'CPU a request', 'times', 'standard error of the difference']];
  for (const kind of kinds) {
    const means = meansOf(kind);
    const error = Math.hypot(standardError(means), standardError(usual));
    rows.push([kind, us(mean(means)), (mean(means) / mean(usual)).toFixed(3), kind === 'usual' ? '' : us(error)]);
  }
  console.log(`${processes} processes of each kind, ${rounds} interleaved rounds of ${seconds} s`);
  for (const line of align(rows)) console.log(line);
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
