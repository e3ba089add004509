/** Questions of a cluster test to its parts, to learn which one of several it must break. */
import { connect } from 'node:net';
import { expect } from '@playwright/test';
import { readState } from '@cloakroom/infra';
import { dataDir, portBase } from '../kit/stack.ts';

const askTimeoutMs = 2_000;

/** Sends one command to a node of the sessions' Redis cluster, and returns the raw answer. */
function askRedis(port: number, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(`${command}\r\n`));
    socket.setTimeout(askTimeoutMs, () => socket.destroy(new Error(`${command}: no answer`)));
    socket.on('data', (chunk) => {
      answer += chunk.toString();
      const [, length] = /^\$(\d+)\r\n/.exec(answer) ?? [];
      const complete = length === undefined ? answer.endsWith('\r\n') : answer.length >= Number(length) + `$${length}\r\n\r\n`.length;
      if (!complete) return;
      resolve(answer);
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

/** The process that is the primary for the session with this token: `v1.<region>.<tag>.…` */
export async function primaryOf(token: string): Promise<string> {
  const tag = token.split('.')[2]!;
  const slot = Number(/:(\d+)/.exec(await askRedis(portBase + 210, `CLUSTER KEYSLOT {${tag}}`))![1]);
  const nodes = await askRedis(portBase + 210, 'CLUSTER NODES');
  const line = nodes.split('\n').find((each) =>
    each
      .trim()
      .split(' ')
      .slice(8)
      .some((range) => {
        const [from, to = from] = range.split('-').map(Number);
        return from! <= slot && slot <= to!;
      }),
  )!;
  return `redis-sessions-${Number(/:(\d+)@/.exec(line)![1]) - portBase - 210 + 1}`;
}

/** The process whose relay publishes revocations and beats. */
export async function relayHolder(): Promise<string> {
  let holder = '';
  await expect(async () => {
    for (const replica of [1, 2]) {
      const answer = await fetch(`http://127.0.0.1:${portBase + 111 + 2 * (replica - 1)}/readyz`, {
        signal: AbortSignal.timeout(askTimeoutMs),
      });
      const { parts } = (await answer.json()) as { parts: { relay: { here: boolean } } };
      if (parts.relay.here) holder = `auth-${replica}`;
    }
    expect(holder).not.toBe('');
  }).toPass({ timeout: 10_000 });
  return holder;
}

/** For each gateway's /readyz: whether its cached identities are leased. */
export async function leases(gateways: readonly string[]): Promise<boolean[]> {
  return Promise.all(
    gateways.map(async (gateway) => {
      const answer = await fetch(`${gateway}/readyz`, { signal: AbortSignal.timeout(askTimeoutMs) });
      return ((await answer.json()) as { parts: { feed: { leased: boolean } } }).parts.feed.leased;
    }),
  );
}

export function processNames(prefix: string): string[] {
  return (readState(dataDir)?.processes ?? []).map(({ name }) => name).filter((name) => name.startsWith(prefix));
}
