import { afterEach, expect, it } from 'vitest';
import { ask, openStage, type Stage } from '../testing/gateway.fixture.ts';

let stage: Stage | undefined;
afterEach(() => stage?.stop());

it.each(['native', 'embedded'])('a shop on %s shows its API, inside the content policy of every other page', async (PROVIDER) => {
  stage = await openStage({ PROVIDER });
  const page = await ask(stage.url, '/api-docs');
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  const policy = page.headers.get('content-security-policy');
  expect(policy).toContain("default-src 'self'");
  expect(policy).not.toContain('unsafe');
  // Without an inline script, and with nothing from elsewhere.
  expect(page.text).not.toMatch(/<script(?![^>]*\ssrc="\/api-docs\/)/);
  const asked = [...page.text.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path!);
  expect(asked).toHaveLength(3);
  for (const path of asked) {
    const file = await ask(stage.url, path);
    expect([path, file.status]).toEqual([path, 200]);
    expect(file.headers.get('content-type')).toMatch(path.endsWith('.css') ? /^text\/css/ : /^text\/javascript/);
  }
});

it.each(['docker', 'external'])('a shop on %s has no such page', async (PROVIDER) => {
  stage = await openStage({ PROVIDER });
  for (const path of ['/api-docs', '/api-docs/show.js', '/api-docs/swagger-ui-bundle.js'])
    expect([path, (await ask(stage.url, path)).status]).toEqual([path, 404]);
});
