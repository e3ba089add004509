/**
 * A separate stack for this suite, whose parts can be taken away and given back. The supervisor is in this process, and a
 * proxy stands before the sessions' Redis.
 */
import { test as base, expect } from '@playwright/test';
import { portsOf, startStack, type RunningStack } from '@cloakroom/infra';
import { openTcpProxy, untilStopped, type TcpProxy } from '@cloakroom/testing';
import { dataDir, portBase, variant } from '../kit/stack.ts';
import type { FailurePart as PartName, FailureWay as Way } from '@cloakroom/contracts';

/** A killed broker must read its log back; a paused one finds its group gone. */
const healthyTimeoutMs = 120_000;

export class Stage {
  readonly gateways: readonly [string, string];
  private readonly stack: RunningStack;
  private readonly proxy: TcpProxy;

  constructor(stack: RunningStack, proxy: TcpProxy) {
    this.stack = stack;
    this.proxy = proxy;
    this.gateways = [stack.gateways[0], stack.gateways[1]];
  }

  /** @returns a function that gives the part back */
  async takeAway(part: PartName, way: Way): Promise<() => Promise<void>> {
    const process = this.stack.process(part);
    if (way === 'killed') {
      await process.takeAway();
      return () => process.giveBack();
    }
    if (way === 'paused') {
      expect(process.kill('SIGSTOP')).toBe(true);
      await untilStopped(process.pid()!);
      return () => Promise.resolve(void process.kill('SIGCONT'));
    }
    expect(part, 'the only one behind a proxy').toBe('redis-sessions');
    this.proxy.cut();
    return () => Promise.resolve(this.proxy.mend());
  }

  /** Waits until every gateway holds the lease, or until none does. */
  async untilLeased(leased: boolean): Promise<void> {
    await this.untilEvery((parts) => parts?.feed?.leased === leased, leased ? 'holds the lease' : 'has lost the lease');
  }

  async untilHealthy(): Promise<void> {
    await this.untilLeased(true);
    await this.untilEvery((parts) => parts?.auth?.ready === true && parts?.cart?.ready === true, 'finds auth and cart ready');
  }

  private async untilEvery(holds: (parts: Parts | undefined) => boolean, message: string): Promise<void> {
    for (const gateway of this.gateways) {
      await expect
        .poll(async () => holds(await readParts(gateway)), {
          timeout: healthyTimeoutMs,
          intervals: [100],
          message: `${gateway} ${message}`,
        })
        .toBe(true);
    }
  }
}

type Parts = Readonly<Record<string, { readonly leased?: boolean; readonly ready?: boolean } | undefined>>;

async function readParts(gateway: string): Promise<Parts | undefined> {
  try {
    const answer = await fetch(`${gateway}/readyz`, { signal: AbortSignal.timeout(2_000) });
    return ((await answer.json()) as { parts: Parts }).parts;
  } catch {
    return undefined;
  }
}

export const test = base.extend<object, { stage: Stage }>({
  stage: [
    // oxlint-disable-next-line no-empty-pattern -- Playwright wants a pattern
    async ({}, use) => {
      const proxy = await openTcpProxy({ port: portsOf(portBase).redisSessions, protocol: 'any' });
      try {
        const stack = await startStack({
          ...variant,
          base: portBase,
          dataDir,
          fresh: 'redis-in-memory',
          telemetry: {},
          sessionModes: 'reference,hybrid,jwt,jwt-denylist',
          storageUrls: { SESSION_REDIS_URL: `redis://${proxy.address}` },
        });
        await use(new Stage(stack, proxy));
        await stack.stop();
      } finally {
        await proxy.close();
      }
    },
    { scope: 'worker', timeout: 400_000 },
  ],
});

export { expect };
