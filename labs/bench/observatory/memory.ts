/**
 * `npm run bench -- memory`: what the Observatory and embedded take after a minute of use: people read and fill carts, and a page of the Observatory is
 * open. Resident size is what a task manager shows. A part of it are pages of the program file, which all Node processes share; PSS divides them.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { uuidV7 } from '@cloakroom/contracts';
import { startStack, type RunningStack } from '../../../infra/launch/harness.ts';
import { align, megabytes } from '../../../infra/cli/status.ts';
import { memoryOf } from '../../../infra/supervisor/child.ts';
import { portTaken, waitFor } from '../../../infra/supervisor/probe.ts';
import { portsOf } from '../../../infra/stack/stack.ts';
import { plainProducts } from '../cart/cart.world.ts';
import { register, signInAll } from '../measuring/people.ts';

const readyTimeoutMs = 60_000;
/** A busy trainee, or a few. */
const requestIntervalMs = 50;
/** One write for so many reads. */
const writeEvery = 5;
/** A page asks so often while a person looks at requests. */
const lookIntervalMs = 1_000;
const sampleIntervalMs = 10_000;
const personCount = 3;

export async function benchMemory(base: number, seconds: number, provider: 'embedded' | 'native'): Promise<void> {
  const stack = await startStack({ provider, base, fresh: true, observatory: true, limits: { RATE_LIMIT_PER_10S: '1000000' } });
  const over = new AbortController();
  try {
    await untilThere(base);
    const rows = [['after', 'Observatory, resident', 'PSS', 'all processes, PSS']];
    const using = Promise.all([use(stack, over.signal), look(stack, over.signal)]);
    for (let ms = 0; ms <= seconds * 1_000; ms += sampleIntervalMs) {
      if (ms > 0) await Promise.race([delay(sampleIntervalMs), using]);
      rows.push([`${ms / 1_000} s`, ...memoryIn(stack)]);
      console.log(rows.at(-1)!.join('  '));
    }
    over.abort();
    await using;
    console.log('');
    for (const line of align(rows)) console.log(line);
  } finally {
    over.abort();
    await stack.stop();
  }
}

async function untilThere(base: number): Promise<void> {
  const listens = async () => ({ ok: await portTaken(portsOf(base).observatory), detail: 'the Observatory does not listen' });
  const ready = await waitFor(listens, { timeoutMs: readyTimeoutMs });
  if (!ready.ok) throw new Error(ready.detail);
}

function memoryIn({ spec, process }: RunningStack): string[] {
  const pid = process('observatory').pid()!;
  const resident = Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;
  const all = spec.processes.reduce((sum, { name }) => sum + (memoryOf(process(name).pid()!)?.bytes ?? 0), 0);
  return [megabytes(resident), megabytes(memoryOf(pid)?.bytes ?? 0), megabytes(all)];
}

async function use({ gateways: [gateway] }: RunningStack, signal: AbortSignal): Promise<void> {
  const people = (await signInAll(gateway, await register(gateway, personCount), 'hybrid'))!;
  const productIds = await plainProducts(gateway, 10);
  for (let n = 0; !signal.aborted; n++) {
    const headers = { ...people[n % people.length]!, origin: gateway, 'content-type': 'application/json' };
    const commandId = uuidV7(Date.now(), randomBytes(10));
    const line = JSON.stringify({ productId: productIds[n % productIds.length], quantity: 1, commandId });
    const asked =
      n % writeEvery === 0
        ? fetch(`${gateway}/api/cart/lines`, { method: 'POST', headers, body: line })
        : fetch(`${gateway}/api/cart`, { headers });
    await (await asked).text();
    await delay(requestIntervalMs);
  }
}

/** As the page does: a stream that stays open, the list, and one request. */
async function look({ observatory }: RunningStack, signal: AbortSignal): Promise<void> {
  const { url, pageKey } = observatory!;
  const headers = { authorization: `Bearer ${pageKey}` };
  const live = await fetch(`${url}/api/live`, { headers, signal });
  void live.body!.pipeTo(new WritableStream()).catch(() => undefined);
  while (!signal.aborted) {
    const list = (await (await fetch(`${url}/api/requests`, { headers })).json()) as { readonly traceId: string }[];
    if (list[0] !== undefined) await (await fetch(`${url}/api/requests/${list[0].traceId}`, { headers })).text();
    await delay(lookIntervalMs);
  }
}
