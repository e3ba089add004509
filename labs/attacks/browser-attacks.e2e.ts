/** Group E: a real browser on an attacker's page, and requests as older or broken browsers would send them. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { signIn, test as browserTest } from '../../e2e/kit/browser.ts';
import { expect, newPerson } from '../../e2e/kit/device.ts';
import { gateways } from '../../e2e/kit/stack.ts';
import { signedIn } from '../../e2e/kit/person.ts';
import { answersIn, headOf, plain, posted, sendRaw, sessionCookieOf } from '../../e2e/kit/raw.ts';

/**
 * `attackerPage(html)` returns the address of the page. It is another origin but the same site as the
 * shop, which is the harder case for SameSite.
 */
const test = browserTest.extend<{ attackerPage: (html: string, host?: string) => Promise<string> }>({
  // oxlint-disable-next-line no-empty-pattern -- Playwright reads the fixture's needs from its first parameter
  attackerPage: async ({}, use) => {
    const servers: Server[] = [];
    await use(async (html, host = 'localhost') => {
      const server = createServer((_request, response) => response.setHeader('content-type', 'text/html').end(html));
      servers.push(server);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return `http://${host}:${(server.address() as AddressInfo).port}/`;
    });
    for (const server of servers) server.close();
  },
});

const form = (
  action: string,
  enctype: string,
  field = '{"email":"ada@example.com","password":"correct horse battery staple","x":"',
): string =>
  `<form method="post" action="${gateways[0]}${action}" enctype="${enctype}"><input name='${field}' value='"}'></form><script>document.forms[0].submit()</script>`;

for (const host of ['localhost', '127.0.0.1'])
  test(`E29 a page at ${host} can sign no person in, out or up by a form`, async ({ page, attackerPage }) => {
    const person = newPerson();
    expect((await posted('/api/session/register', person)).status).toBe(201);
    await page.goto(gateways[0]);
    await signIn(page, person);
    for (const action of ['/api/session/login', '/api/session/logout', '/api/session/register', '/api/session/guest'])
      for (const enctype of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
        await page.goto(await attackerPage(form(action, enctype), host));
        await page.waitForURL(`${gateways[0]}${action}`);
        expect(await page.locator('body').innerText()).toContain('cross_site_request');
      }
    const answer = await page.request.get(`${gateways[0]}/api/session`);
    expect((await answer.json()).user.email).toBe(person.email);
  });

test('E30 a page on another port of the host can neither read nor replace the session cookie', async ({ page, attackerPage }) => {
  const person = newPerson();
  await posted('/api/session/register', person);
  await page.goto(gateways[0]);
  await signIn(page, person);
  expect(await page.evaluate(() => document.cookie)).not.toContain('__Host-');
  await page.goto(await attackerPage('<p>attacker</p>'));
  const read = await page.evaluate(() => {
    document.cookie = '__Host-session=planted; Path=/; Secure';
    document.cookie = '__Host-session=planted; Path=/api; Secure';
    document.cookie = '__host-SESSION=planted; Path=/; Secure';
    document.cookie = '\u2000__Host-session=planted; Path=/api';
    return document.cookie;
  });
  expect(read).not.toContain('v1.');
  const state = await page.goto(`${gateways[0]}/api/session`);
  const told = (await state!.json()) as { user?: { email: string }; code?: string };
  // Either the planted twin is refused as ambiguous, or the browser took none. The answer never names another person.
  expect([person.email, 'ambiguous_cookies']).toContain(told.user?.email ?? told.code);
});

test('E30 two cookies that could both be the session are refused, and look-alikes are never it', async () => {
  const [mine, theirs] = [await signedIn(), await signedIn()];
  const ambiguous = [
    `${sessionCookieOf(mine.token)}; ${sessionCookieOf(theirs.token)}`,
    `${sessionCookieOf(mine.token)}; ${sessionCookieOf(mine.token)}`,
    `__host-SESSION=${theirs.token}; ${sessionCookieOf(mine.token)}`,
    `__HOST-session=${theirs.token}; ${sessionCookieOf(mine.token)}`,
    `${sessionCookieOf(mine.token)};__Host-session=`,
  ];
  for (const cookie of ambiguous) {
    const answer = await plain('/api/session', { headers: { cookie } });
    expect([answer.status, (JSON.parse(answer.body) as { code: string }).code], cookie.slice(0, 30)).toEqual([400, 'ambiguous_cookies']);
  }
  const [twoLines] = answersIn(
    await sendRaw(headOf('GET', '/api/session', { cookie: `${sessionCookieOf(mine.token)}\r\ncookie: ${sessionCookieOf(theirs.token)}` })),
  );
  expect(twoLines?.status, 'two header lines').toBe(400);
  const lookalikes = [
    `\u00a0__Host-session=${theirs.token}`,
    `$Version=1; $Path=/; __Host-session2=${theirs.token}`,
    `=__Host-session=${theirs.token}`,
    `__Host-session =${theirs.token}x`,
    `__Host-session="${theirs.token}"`,
    `"__Host-session"=${theirs.token}`,
  ];
  for (const cookie of lookalikes) {
    const [answer] = answersIn(await sendRaw(headOf('GET', '/api/session', { cookie, connection: 'close' })));
    expect(answer?.text, cookie.slice(0, 30)).toContain('"state":"none"');
  }
});

test('E31 an unsafe request that does not say where it comes from changes nothing, whatever it calls itself', async () => {
  const { token } = await signedIn();
  const cookie = sessionCookieOf(token);
  const tries: Record<string, string>[] = [
    {},
    { 'content-type': 'text/plain' },
    { 'content-type': 'application/json' },
    { origin: 'null', 'content-type': 'application/json' },
    { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' },
    { origin: gateways[0], 'sec-fetch-site': 'same-site' },
    { origin: gateways[0], 'sec-fetch-site': 'cross-site' },
    { origin: `${gateways[0]}.evil.example` },
    { origin: gateways[0].toUpperCase() },
    { referer: `${gateways[0]}/account` },
    { 'x-requested-with': 'XMLHttpRequest' },
  ];
  for (const headers of tries) {
    const answer = await plain('/api/session/logout', { method: 'POST', headers: { cookie, ...headers }, body: '{}' });
    expect([answer.status, answer.body.includes('cross_site_request')], JSON.stringify(headers)).toEqual([403, true]);
  }
  // A method in a header or in the query has no effect.
  const overridden = ['x-http-method-override', 'x-http-method', 'x-method-override'];
  for (const name of overridden) {
    const answer = await plain('/api/session/devices?_method=DELETE', { headers: { cookie, [name]: 'DELETE' } });
    expect([answer.status, answer.body.startsWith('[')], name).toEqual([200, true]);
  }
  const texted = await plain('/api/cart/lines', {
    method: 'POST',
    headers: { cookie, origin: gateways[0], 'content-type': 'text/plain' },
    body: '{}',
  });
  expect(texted.status).toBe(415);
  expect((await plain('/api/cart', { headers: { cookie } })).status, 'still signed in').toBe(200);
});

test('E32 no other origin reads an answer, not even the null origin', async ({ page, attackerPage }) => {
  const person = newPerson();
  await posted('/api/session/register', person);
  await page.goto(gateways[0]);
  await signIn(page, person);
  const script = `fetch('${gateways[0]}/api/session',{credentials:'include'}).then(r=>r.text()).then(t=>'read '+t,e=>'blocked').then(t=>{document.title=t})`;
  for (const html of [
    `<script>${script}</script>`,
    `<iframe sandbox="allow-scripts" srcdoc="<script>${script.replace('document.title=t', "parent.postMessage(t,'*')")}</script>"></iframe><script>onmessage=e=>{document.title=e.data}</script>`,
  ]) {
    await page.goto(await attackerPage(html));
    await expect(page).toHaveTitle('blocked');
  }
  for (const origin of ['null', 'https://evil.example', gateways[0]]) {
    const answer = await plain('/api/session', { headers: { origin } });
    expect(answer.headers['access-control-allow-origin'], origin).toBeUndefined();
    const preflight = await plain('/api/session', { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'DELETE' } });
    expect(preflight.headers['access-control-allow-origin'], origin).toBeUndefined();
  }
});

test('E32 the shop cannot be framed', async ({ page, attackerPage }) => {
  await page.goto(await attackerPage(`<iframe src="${gateways[0]}/" width="800" height="600"></iframe>`));
  await expect.poll(() => page.frames().length).toBe(2);
  await expect.poll(() => page.frames()[1]!.url()).toContain('chrome-error://');
});

test('E33 after a sign-out the back button shows nothing of the person', async ({ page }) => {
  const person = newPerson();
  await posted('/api/session/register', person);
  await page.goto(gateways[0]);
  await signIn(page, person);
  await page.goto(`${gateways[0]}/account`);
  await expect(page.getByRole('heading', { name: /^Hello, / })).toBeVisible();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Sign in' })).toBeVisible();
  // The browser leaves the shop and goes back, so that it requests the page again or takes it from its cache.
  await page.goto('about:blank');
  await page.goBack();
  await expect(page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Sign in' })).toBeVisible();
  expect(await page.locator('body').innerText()).not.toContain(person.email);
  expect(await page.locator('body').innerText()).not.toContain(person.name);
});

test('E34 an answer that a shared cache may keep sets no cookie and names no person', async () => {
  const person = await signedIn();
  const document = JSON.parse((await plain('/openapi.json')).body) as { paths: Record<string, Record<string, unknown>> };
  const paths = Object.entries(document.paths).flatMap(([path, methods]) => ('get' in methods ? [path] : []));
  expect(paths.length).toBeGreaterThan(8);
  for (const path of [...paths, '/', '/account', '/nothing-here']) {
    if (path === '/api/events') continue;
    const address = path.replaceAll(/\{\w+\}/g, 'x');
    const answer = await plain(address, { headers: { cookie: sessionCookieOf(person.token) } });
    const storable = !String(answer.headers['cache-control'] ?? '').includes('no-store');
    if (!storable) continue;
    expect(answer.headers['set-cookie'], path).toBeUndefined();
    for (const secret of [person.email, person.token]) expect(answer.body.includes(secret), path).toBe(false);
  }
});
