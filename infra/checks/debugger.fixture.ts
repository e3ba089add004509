/** Node's debugger protocol, as much of it as the coverage of a running process needs. */
import { setTimeout as delay } from 'node:timers/promises';

export interface Debugger {
  send<Result = unknown>(method: string, params?: object): Promise<Result>;
  close(): void;
}

const connectTimeoutMs = 10_000;

/** @throws where no process listens on that port of loopback */
export async function openDebugger(port: number): Promise<Debugger> {
  const socket = new WebSocket(await addressOf(port));
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true });
    socket.addEventListener('error', () => reject(new Error(`no debugger at port ${port}`)), { once: true });
  });
  const waiting = new Map<number, PromiseWithResolvers<never>>();
  socket.addEventListener('message', ({ data }: MessageEvent<string>) => {
    const { id, result, error } = JSON.parse(data) as { id?: number; result: never; error?: { message: string } };
    const asked = id === undefined ? undefined : waiting.get(id);
    if (asked === undefined) return;
    waiting.delete(id!);
    if (error === undefined) asked.resolve(result);
    else asked.reject(new Error(error.message));
  });
  let lastId = 0;
  return {
    send(method, params = {}) {
      const asked = Promise.withResolvers<never>();
      waiting.set(++lastId, asked);
      socket.send(JSON.stringify({ id: lastId, method, params }));
      return asked.promise;
    },
    close: () => socket.close(),
  };
}

async function addressOf(port: number): Promise<string> {
  const giveUpMs = performance.now() + connectTimeoutMs;
  for (;;) {
    try {
      const [program] = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as { webSocketDebuggerUrl: string }[];
      return program!.webSocketDebuggerUrl;
    } catch (error) {
      if (performance.now() > giveUpMs) throw error;
      await delay(50);
    }
  }
}
