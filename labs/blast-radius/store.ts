/** A real Redis behind a proxy that can cut it off. */
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openTcpProxy } from '@cloakroom/testing';
import { obtainRedis, redisLaunch } from '../../infra/native/redis.ts';
import { toolsDir } from '../../infra/stack/folders.ts';
import { launch } from '../../infra/supervisor/child.ts';

export interface Store {
  /** The address behind which it can be cut off. */
  readonly url: string;
  cut(): void;
  mend(): void;
  /** Whether it answers there. */
  answers(): Promise<boolean>;
  stop(): Promise<void>;
}

const readyTimeoutMs = 30_000;
const lookIntervalMs = 50;
const stopGraceMs = 4_000;
/** A Redis on this machine answers within a millisecond; one that was cut off ends the connection. */
const pingTimeoutMs = 2_000;

export async function openStore(name: string, port: number, folder: string): Promise<Store> {
  const found = await obtainRedis(toolsDir, () => undefined);
  if (!found.ok) throw new Error(`${found.why}: ${found.remedy}`);
  const place = { name, port, dir: join(folder, name), logFile: join(folder, 'logs', `${name}.log`) };
  const child = launch(redisLaunch(found.value, place));
  const giveUpMs = performance.now() + readyTimeoutMs;
  while (!(await ping(port))) {
    if (child.exit() !== undefined || performance.now() > giveUpMs) throw new Error(`${name} does not start: ${place.logFile}`);
    await delay(lookIntervalMs);
  }
  const proxy = await openTcpProxy({ port, protocol: 'any' });
  return {
    url: `redis://${proxy.address}`,
    cut: () => proxy.cut(),
    mend: () => proxy.mend(),
    answers: () => ping(proxy.port),
    async stop() {
      await proxy.close();
      await child.end(stopGraceMs);
    },
  };
}

function ping(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => void socket.write('PING\r\n'));
    const end = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(pingTimeoutMs, () => end(false));
    socket.on('data', (bytes) => end(bytes.toString().startsWith('+PONG')));
    socket.on('error', () => end(false));
    socket.on('close', () => end(false));
  });
}
