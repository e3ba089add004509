import type { Logger } from '@cloakroom/platform/process-life';

const loopback = '127.0.0.1';
/** A node that is away is shown as silent after this time, and its connection goes on trying. */
const readyTimeoutMs = 1_000;

export type Call = <Answer>(command: string, ...args: (string | number)[]) => Promise<Answer>;

interface Connection {
  readonly ready: () => Promise<void>;
  readonly call: Call;
  readonly close: () => void;
}

/** Connections to the nodes of the sessions' cluster. Each is opened at the first question and kept: a page asks every two seconds. */
export class NodeConnections {
  readonly #open = new Map<number, Connection>();
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** @throws when the node does not answer */
  async to(port: number): Promise<Call> {
    // Loaded when a cluster is looked at: no other shop's Observatory needs Redis.
    const { openRedis, redisReady } = await import('@cloakroom/platform/redis');
    let known = this.#open.get(port);
    if (known === undefined) {
      const redis = openRedis({ url: `redis://${loopback}:${port}`, name: 'observatory', log: this.#log });
      known = {
        ready: () => redisReady(redis, readyTimeoutMs),
        call: <Answer>(command: string, ...args: (string | number)[]) => redis.call(command, ...args) as Promise<Answer>,
        close: () => redis.disconnect(),
      };
      this.#open.set(port, known);
    }
    await known.ready();
    return known.call;
  }

  close(): void {
    for (const { close } of this.#open.values()) close();
    this.#open.clear();
  }
}
