import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const port = 31_800;

/** Runs the check against a server with this answer; undefined means a server that never answers. @returns the exit code */
async function check(status: number | undefined, env: Readonly<Record<string, string>>): Promise<{ code: number; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    if (status !== undefined) response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const code = await new Promise<number>((resolve) => {
    const child = execFile(process.execPath, [join(import.meta.dirname, 'healthcheck.mjs')], { env: { ...env } });
    child.once('exit', (exit) => resolve(exit ?? -1));
  });
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  return { code, asked };
}

it('a container is healthy when the service says that it is ready', async () => {
  expect(await check(200, { ADMIN_PORT: String(port), LISTEN_PORT: '1' })).toEqual({ code: 0, asked: ['/readyz'] });
});

it('a gateway, which has no admin port, is asked on its own port', async () => {
  expect(await check(200, { LISTEN_PORT: String(port) })).toMatchObject({ code: 0 });
});

it.each([503, undefined])('a container is not healthy at %s', async (status) => {
  expect((await check(status, { ADMIN_PORT: String(port) })).code).toBe(1);
});

it('a container is not healthy without an answer', async () => {
  expect((await check(200, { ADMIN_PORT: '31899' })).code).toBe(1);
});
