/**
 * The store that the replicas of the lab share: the session store of libs/session in the memory of a separate
 * process. It survives the end of any replica.
 */
import { createServer, type Server } from 'node:http';
import { hashOf, limits, MemorySessionStore, tagOf } from '@cloakroom/session';

export async function openSharedStore(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const store = new MemorySessionStore({ incarnation: 'lab' });
  const keyOf = (id: string) => ({ tag: tagOf(id), hash: hashOf(Buffer.from(id)) });
  const begin = (id: string, nowMs: number) =>
    store.create(
      {
        ...keyOf(id),
        handle: id,
        subject: `g_${id}`,
        state: 'guest',
        mode: 'hybrid',
        globalEpoch: 0,
        createdAtMs: nowMs,
        authenticatedAtMs: 0,
        lastSeenAtMs: nowMs,
        idleExpiresAtMs: nowMs + limits.guest.idleTimeoutMs,
        expiresAtMs: nowMs + limits.guest.absoluteTimeoutMs,
        device: 'lab',
        claimedGuestCart: '',
        region: 'local',
        generation: 0,
        rotatedAtMs: 0,
        amr: '',
      },
      limits.sessionCountMax,
      nowMs,
    );
  const server = createServer((request, answer) => {
    const id = (request.url ?? '').slice(1);
    const done =
      request.method === 'PUT' ? begin(id, Date.now()).then(() => true) : store.resolve(keyOf(id), Date.now(), undefined).then(Boolean);
    done.then(
      (known) => answer.writeHead(known ? 200 : 404).end(),
      () => answer.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${portOf(server)}`, close: () => closeServer(server) };
}

export function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen');
  return address.port;
}

export function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
