import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtempDisposable } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { neverReached } from './schemathesis.ts';

it('an operation that was only ever refused at the door counts as not tried', () => {
  const tally = {
    'GET /api/profile': { '401 session_ended': 3, '405 method_not_allowed': 7 },
    'GET /api/orders': { '401 session_ended': 3, '200': 1 },
    'POST /api/session/login': { '401 invalid_credentials': 9, '415 unsupported_media_type': 1 },
    'GET /api/admin/users': { '403 forbidden': 4 },
  };
  expect(neverReached(tally)).toEqual(['GET /api/profile', 'GET /api/admin/users']);
});

interface Step {
  readonly path: string;
  readonly body?: object;
  readonly answer: { readonly status: number; readonly code?: string; readonly setCookie?: string[] };
}

/** Runs the hooks without the fuzzer, which would be one more program to install. */
const player = `
import json, sys, types
fuzzer = types.ModuleType("schemathesis")
fuzzer.hook = lambda function: function
sys.modules["schemathesis"] = fuzzer
sys.path.insert(0, sys.argv[1])
import schemathesis_hooks as hooks
sent = []
for step in json.loads(sys.argv[2]):
    operation = types.SimpleNamespace(path=step["path"], label="POST " + step["path"])
    case = types.SimpleNamespace(operation=operation, headers=None, path_parameters={}, body=step.get("body"))
    hooks.before_call(None, case, {})
    answer = step["answer"]
    headers = {"set-cookie": answer["setCookie"]} if "setCookie" in answer else {}
    content = json.dumps({"code": answer.get("code")}).encode()
    hooks.after_call(None, case, types.SimpleNamespace(status_code=answer["status"], headers=headers, content=content))
    sent.append({"cookie": case.headers.get("Cookie"), "body": case.body})
print(json.dumps(sent))
`;

const hasPython = ((): boolean => {
  try {
    execFileSync('python3', ['--version'], { stdio: 'ignore', timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
})();

/** A shop that gives each sign-in a separate session: "person1", "admin2". */
async function play(steps: readonly Step[]) {
  let count = 0;
  const session = (who: string): string[] => [`__Host-session=${who}${++count}; Path=/; Secure`];
  const shop: Record<string, () => { status?: number; cookies?: string[]; body: object }> = {
    'POST /api/session/register': () => ({ status: 201, cookies: session('person'), body: {} }),
    'POST /api/session/login': () => ({ cookies: session('admin'), body: {} }),
    'GET /api/products?pageSize=1': () => ({ body: { items: [{ productId: 'cap' }] } }),
    'PATCH /api/profile': () => ({ body: { addresses: [{ addressId: 'home' }] } }),
    'POST /api/cart/lines': () => ({ status: 202, body: { lineId: 'line-cap' } }),
    'GET /api/cart': () => ({ body: { seen: 'everything', cartId: 'u_1' } }),
  };
  const server = createServer((request, response) => {
    const { status = 200, cookies = [], body } = shop[`${request.method} ${request.url}`]!();
    response.setHeader('set-cookie', cookies).setHeader('consistency-token', 'local:0:1').writeHead(status).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await using folder = await mkdtempDisposable(join(tmpdir(), 'fuzz-'));
  const tallyFile = join(folder.path, 'answers.json');
  try {
    const { stdout } = await promisify(execFile)('python3', ['-B', '-c', player, import.meta.dirname, JSON.stringify(steps)], {
      timeout: 60_000,
      env: {
        ...process.env,
        CLOAKROOM_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        CLOAKROOM_FUZZ_PASSWORD: 'a password',
        CLOAKROOM_FUZZ_TALLY: tallyFile,
      },
    });
    const sent = JSON.parse(stdout) as { cookie: string | null; body: Record<string, unknown> | null }[];
    return { sent, cookies: sent.map(({ cookie }) => cookie), tally: JSON.parse(readFileSync(tallyFile, 'utf8')) as unknown };
  } finally {
    server.close();
  }
}

it.skipIf(!hasPython)('a fuzzer is signed in again after its session ended, and not after a wrong password', async () => {
  const path = '/api/session/devices';
  const { cookies, tally } = await play([
    { path, answer: { status: 401, code: 'session_ended' } },
    { path, answer: { status: 401, code: 'invalid_credentials' } },
    { path, answer: { status: 200, setCookie: ['consistency=x', '__Host-session=changed; Path=/'] } },
    { path, answer: { status: 403, code: 'step_up_required' } },
    { path, answer: { status: 204, setCookie: ['__Host-session=; Max-Age=0'] } },
    { path: '/api/admin/users', answer: { status: 200 } },
    { path: '/api/admin/revoke-everything', answer: { status: 204 } },
    { path, answer: { status: 200 } },
    { path: '/api/admin/users', answer: { status: 200 } },
    { path: '/healthz', answer: { status: 200 } },
  ]);
  const names = cookies.map((cookie) => cookie?.replace('__Host-session=', ''));
  expect(names).toEqual(['person1', 'person2', 'person2', 'changed', 'person3', 'admin4', 'admin4', 'person5', 'admin6', undefined]);
  expect(tally).toMatchObject({ 'POST /api/session/devices': { '401 session_ended': 1, '204': 1, '200': 2 } });
});

it.skipIf(!hasPython)('every second case of the cart is about what is there, and keeps what the fuzzer made of a wrong type', async () => {
  const step = { path: '/api/cart/lines', answer: { status: 202 } };
  const { sent } = await play([
    { ...step, body: { commandId: 'made up', productId: 'x', quantity: 1 } },
    { ...step, body: { commandId: 'made up', productId: 7, seen: 'x', quantity: 1 } },
  ]);
  expect(sent[0]!.body).toEqual({ commandId: 'made up', productId: 'x', quantity: 1 });
  expect(sent[1]!.body).toEqual({
    commandId: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab]/),
    productId: 7,
    seen: 'everything',
    quantity: 1,
  });
});
