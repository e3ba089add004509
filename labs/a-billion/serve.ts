/** Serves the simulator's page on loopback: one page, the simulator itself with its types stripped, and the figures. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { closeServer } from '../sticky/store.ts';
import type { Opened } from '../runner/lab.ts';
import { readFigures } from './figures.ts';

/** Counted from the base, above the ports of a stack. */
const portOffset = 99;

const textOf = (name: string): string => readFileSync(join(import.meta.dirname, name), 'utf8');

/** The files of the page, made once. */
export function pageFiles(): Readonly<Record<string, { readonly type: string; readonly body: string }>> {
  return {
    '/': { type: 'text/html; charset=utf-8', body: textOf('page.html') },
    '/simulator.js': { type: 'text/javascript', body: stripTypeScriptTypes(textOf('simulator.ts')) },
    '/figures.json': { type: 'application/json', body: JSON.stringify(readFigures()) },
  };
}

export async function servePage(base: number): Promise<Opened> {
  const files = pageFiles();
  const server = createServer((request, answer) => {
    const file = request.method === 'GET' ? files[request.url ?? ''] : undefined;
    if (file === undefined) return void answer.writeHead(404).end();
    // Nothing from elsewhere runs or loads here.
    const policy = "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'";
    answer.writeHead(200, { 'content-type': file.type, 'content-security-policy': policy, 'cache-control': 'no-store' }).end(file.body);
  });
  const port = base + portOffset;
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return { says: `The simulator: http://127.0.0.1:${port}/`, stop: () => closeServer(server) };
}
