import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, openStage, type Stage } from '../testing/gateway.fixture.ts';

let stage: Stage;
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gateway-web-'));
  await mkdir(join(dir, 'web', 'assets'), { recursive: true });
  await writeFile(join(dir, 'web', 'index.html'), '<!doctype html><title>shop</title>');
  await writeFile(join(dir, 'web', 'assets', 'app-1a2b3c.js'), 'export {};');
  await writeFile(join(dir, 'web', 'favicon.svg'), '<svg/>');
  await writeFile(join(dir, 'secret.txt'), 'a secret');
  stage = await openStage({ WEB_DIR: join(dir, 'web') });
});
afterAll(async () => {
  await stage.stop();
  await rm(dir, { recursive: true });
});

describe('the web app', () => {
  it('is the page at every address of its own router, asked for again each time', async () => {
    for (const path of ['/', '/index.html', '/products/cap', '/cart?x=1', '/profile/devices']) {
      const told = await ask(stage.url, path);
      expect([path, told.status, told.text]).toEqual([path, 200, '<!doctype html><title>shop</title>']);
      expect(told.headers.get('cache-control')).toBe('no-cache');
      expect(told.headers.get('content-security-policy')).toContain("default-src 'self'");
      expect(told.setCookies).toEqual([]);
    }
  });

  it('keeps what carries a hash for ever, and nothing else', async () => {
    const script = await ask(stage.url, '/assets/app-1a2b3c.js');
    expect([script.status, script.headers.get('content-type')]).toEqual([200, expect.stringContaining('javascript')]);
    expect(script.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect((await ask(stage.url, '/favicon.svg')).headers.get('cache-control')).toBe('no-cache');
  });

  it('is never an answer of the API: unknown addresses there stay problems', async () => {
    for (const path of ['/api/nothing', '/api', '/api/nothing/orders', '/.well-known/nothing', '/assets/missing.js', '/missing.png']) {
      const told = await ask(stage.url, path);
      expect([path, told.status, told.body?.code]).toEqual([path, 404, 'not_found']);
    }
    expect((await ask(stage.url, '/api/session/login')).body.code).toBe('method_not_allowed');
  });

  it('leaves the API its own words for what goes wrong: a broken body is a problem', async () => {
    const told = await ask(stage.url, '/api/session/login', { method: 'POST', body: '{x' });
    expect([told.status, told.body?.code, told.body?.traceId]).toEqual([400, 'invalid_request', expect.any(String)]);
  });

  it('gives nothing from outside its folder', async () => {
    for (const path of ['/..%2fsecret.txt', '/%2e%2e/secret.txt', '/assets/..%2f..%2fsecret.txt', '/..%5csecret.txt', '/%00']) {
      const told = await ask(stage.url, path);
      expect(told.text).not.toContain('a secret');
      expect(told.status).toBeGreaterThanOrEqual(400);
    }
  });
});
