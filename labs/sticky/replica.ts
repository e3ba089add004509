/**
 * A replica of the lab, a process that can be killed. It signs people in and answers those that it knows. With
 * STORE_URL it asks the shared store for the session, as the shop does. Without it the replica keeps sessions in its memory:
 * the anti-pattern that the lab shows.
 */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';

const storeUrl = process.env['STORE_URL'];
const own = new Set<string>();

async function begin(): Promise<string> {
  const id = randomUUID();
  if (storeUrl === undefined) own.add(id);
  else await fetch(`${storeUrl}/${id}`, { method: 'PUT' });
  return id;
}

async function isKnown(id: string): Promise<boolean> {
  return storeUrl === undefined ? own.has(id) : (await fetch(`${storeUrl}/${id}`)).ok;
}

const server = createServer((request, answer) => {
  const respond = async (): Promise<void> => {
    if (request.method === 'POST') return void answer.end(await begin());
    const known = await isKnown((request.url ?? '').slice(1));
    answer.writeHead(known ? 200 : 401).end();
  };
  respond().catch(() => answer.writeHead(503).end());
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.(typeof address === 'object' && address !== null ? address.port : 0);
});
// The parent process has ended.
process.once('disconnect', () => process.exit());
