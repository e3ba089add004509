/**
 * infra/kafka/answers-in-container.sh, tested with a broker that answers a few bytes. The suite `containers` tests it with a real broker.
 */
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';

/** A metadata answer (Kafka protocol guide, version 2): these brokers, a cluster's id, a controller, no topic. */
function metadata(brokers: readonly string[]): Buffer {
  const int = (value: number) => Buffer.from([0, 0, 0, value]);
  const text = (value: string) => Buffer.concat([Buffer.from([0, value.length]), Buffer.from(value)]);
  const listed = brokers.flatMap((host) => [int(1), text(host), int(92), Buffer.from([255, 255])]);
  const body = Buffer.concat([int(1), int(brokers.length), ...listed, text('c'.repeat(22)), int(1), int(0)]);
  return Buffer.concat([int(body.length), body]);
}

/** @returns the exit code, and the request that the broker received */
async function ask(answer: Buffer | undefined): Promise<{ code: number | null; asked: Buffer }> {
  let asked = Buffer.alloc(0);
  const server = createServer((socket) => {
    socket.on('data', (chunk) => {
      asked = Buffer.concat([asked, chunk]);
      if (answer !== undefined) socket.write(answer);
    });
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const env = { ...process.env, ADVERTISED_HOST: 'kafka', BROKER_PORT: String(port) };
  const child = spawn('bash', [join(import.meta.dirname, 'answers-in-container.sh')], { env, stdio: 'ignore' });
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  server.close();
  return { code, asked };
}

it('a broker that takes part in its cluster is healthy; one that only listens is not', async () => {
  const healthy = await ask(metadata(['kafka']));
  expect(healthy.code).toBe(0);
  // The whole request: its own length, metadata, version 2.
  expect(healthy.asked.readInt32BE(0)).toBe(healthy.asked.length - 4);
  expect([healthy.asked.readInt16BE(4), healthy.asked.readInt16BE(6)]).toEqual([3, 2]);
  expect((await ask(metadata([]))).code).not.toBe(0);
});

it('a broker that is silent is not healthy, within the time that the health check has', async () => {
  const began = performance.now();
  expect((await ask(undefined)).code).not.toBe(0);
  expect(performance.now() - began).toBeLessThan(10_000);
});
