/** Group D: services must receive only the identity that the gateway states, whatever the spelling of the request. */
import { randomBytes } from 'node:crypto';
import { expect, test } from '../../e2e/kit/device.ts';
import { gateways } from '../../e2e/kit/stack.ts';
import { callMesh, passportFor, profilePath } from '../../e2e/kit/mesh.ts';
import { signedIn } from '../../e2e/kit/person.ts';
import { answersIn, headOf, plain, sendRaw, sessionCookieOf } from '../../e2e/kit/raw.ts';

const emailIn = (text: string): string | undefined => /"email":"([^"]+)"/.exec(text)?.[1];

async function counted(): Promise<number> {
  const { body } = await plain('/metrics');
  return Number(/^gateway_lookalike_headers_total (\d+)/m.exec(body)?.[1] ?? 0);
}

test('D24 identity headers of any spelling, repeated or in trailers, identify no person, and the cookie’s owner stays the same', async () => {
  const [person, other] = [await signedIn(), await signedIn()];
  const stolen = await passportFor(other.token, 'profile');
  const spellings = [
    [`x-passport: ${stolen}`],
    [`X-PASSPORT: ${stolen}`],
    [`X_Passport: ${stolen}`],
    [`x-passport-bin: ${Buffer.from(stolen).toString('base64')}`],
    [`x-passport: ${stolen}`, `x-passport: ${stolen}`],
    [`x-passport: a, ${stolen}`],
    ['x-user-id: u_00000000-0000-4000-8000-000000000000'],
    [`connection: keep-alive, x-passport`, `x-passport: ${stolen}`],
    [`authorization: Bearer ${stolen}`],
    [`x-access-token: ${stolen}`],
    ['x-forwarded-user: admin@example.com', 'x-forwarded-uri: /healthz', 'x-original-url: /healthz', 'x-rewrite-url: /healthz'],
  ];
  const before = await counted();
  for (const headers of spellings) {
    const head = (cookie: string) =>
      `GET /api/profile HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${[...headers, cookie].join('\r\n')}\r\n\r\n`;
    const [anonymous] = answersIn(await sendRaw(head('accept: */*')));
    expect(anonymous?.status, headers[0]).toBe(401);
    const [own] = answersIn(await sendRaw(head(`cookie: ${sessionCookieOf(person.token)}`)));
    expect([own?.status, emailIn(own?.text ?? '')], headers[0]).toEqual([200, person.email]);
  }
  expect(await counted(), 'the probes were counted').toBeGreaterThan(before);

  const body = `{"quantity":1}`;
  const trailers = `${headOf('PATCH', '/api/profile', { origin: gateways[0], 'content-type': 'application/json', 'transfer-encoding': 'chunked', trailer: 'x-passport' })}${body.length.toString(16)}\r\n${body}\r\n0\r\nx-passport: ${stolen}\r\n\r\n`;
  expect(answersIn(await sendRaw(trailers))[0]?.status).toBe(401);
});

test('D24 a service takes exactly one passport, under its exact name', async () => {
  const { token } = await signedIn();
  const other = await signedIn();
  const [own, theirs] = [await passportFor(token, 'profile'), await passportFor(other.token, 'profile')];
  const metadata: Record<string, string | string[]>[] = [
    { 'x-passport': [own, theirs] },
    { 'x-passport': [theirs, own] },
    { 'x-passport': `${own},${theirs}` },
    { 'x-passport': own, x_passport: theirs },
    { 'x-passport': own, 'x-passport-bin': Buffer.from(theirs).toString('base64') },
    { x_passport: own },
    { 'x.passport': own },
    { 'x-passport': ` ${own} ,` },
  ];
  for (const one of metadata)
    expect((await callMesh({ service: 'profile', path: profilePath, metadata: one })).code).toMatch(
      /^(invalid_passport|session_required)$/,
    );
});

test('D25 a path with another spelling reaches no method, with or without an identity', async () => {
  const { token } = await signedIn();
  const passport = await passportFor(token, 'profile');
  const bare = profilePath.slice(1);
  const spellings = [
    bare,
    `/${profilePath}`,
    `${profilePath}/`,
    `${profilePath}?x=1`,
    profilePath.toLowerCase(),
    profilePath.replace('/Get', '/get'),
    `/x/..${profilePath}`,
    `/.${profilePath}`,
    profilePath.replace('ProfileService', 'ProfileService%2F..'),
    `/${encodeURIComponent(bare)}`,
    profilePath.replace('v1', 'v1 '),
    `${profilePath};a=b`,
    `*`,
  ];
  for (const path of spellings)
    for (const metadata of [{}, { 'x-passport': passport }]) {
      const { code } = await callMesh({ service: 'profile', path, metadata });
      expect(code, `${path} ${Object.keys(metadata).join()}`).toMatch(/^(grpc 12|grpc none|no connection)$/);
    }
});

const smuggled = 'GET /api/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n';
const post = (headers: string, body: string): string =>
  `POST /api/session/guest HTTP/1.1\r\nHost: localhost\r\nOrigin: ${gateways[0]}\r\nContent-Type: application/json\r\n${headers}\r\n\r\n${body}`;
const chunked = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;

const framings: Readonly<Record<string, string>> = {
  'CL.TE': post(`Content-Length: ${5 + smuggled.length}\r\nTransfer-Encoding: chunked`, `0\r\n\r\n${smuggled}`),
  'TE.CL': post(`Transfer-Encoding: chunked\r\nContent-Length: 4`, chunked(smuggled)),
  'two lengths': post(`Content-Length: 0\r\nContent-Length: ${smuggled.length}`, smuggled),
  'a list of lengths': post(`Content-Length: 0, ${smuggled.length}`, smuggled),
  'a signed length': post(`Content-Length: +0`, smuggled),
  'a length in hex': post(`Content-Length: 0x0`, smuggled),
  'a blank before the colon': post(`Content-Length : 0`, smuggled),
  'TE with a blank before the colon': post(`Transfer-Encoding : chunked\r\nContent-Length: 0`, smuggled),
  'TE that is not the last': post(`Transfer-Encoding: chunked, identity`, `0\r\n\r\n${smuggled}`),
  'TE twice': post(`Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\nContent-Length: 0`, `0\r\n\r\n${smuggled}`),
  'TE of a tab': post(`Transfer-Encoding:\x0bchunked\r\nContent-Length: 0`, smuggled),
  'a folded TE': post(`X: y\r\n Transfer-Encoding: chunked\r\nContent-Length: 0\r\nTransfer-Encoding:\r\n chunked`, smuggled),
  'a bare LF': post(`X: y\nTransfer-Encoding: chunked\r\nContent-Length: 0`, smuggled),
  'a bare CR': post(`X: y\rTransfer-Encoding: chunked\r\nContent-Length: 0`, smuggled),
  'a NUL in a value': post(`X: y\0z\r\nContent-Length: 0`, smuggled),
  'a chunk size that overflows': post(`Transfer-Encoding: chunked`, `10000000000000000\r\n\r\n0\r\n\r\n${smuggled}`),
  'a chunk that ends without CRLF': post(`Transfer-Encoding: chunked`, `1\r\nZ0\r\n\r\n${smuggled}`),
  'a chunk extension with a line end': post(`Transfer-Encoding: chunked`, `1;a=b\nc\r\nZ\r\n0\r\n\r\n${smuggled}`),
};

for (const [name, bytes] of Object.entries(framings))
  test(`D26 no second request hides in a first one that is framed twice: ${name}`, async () => {
    const answers = answersIn(await sendRaw(bytes));
    expect(
      answers.map(({ status }) => status).filter((status) => status < 400 || status >= 500),
      'neither taken nor a raw error',
    ).toEqual([]);
    expect(
      answers.some(({ text }) => text.includes('"status":404')),
      'the hidden request was not answered',
    ).toBe(false);
  });

test('D26 two people on one connection, pipelined, each get their own data', async () => {
  const people = [await signedIn(), await signedIn()];
  const order = Array.from({ length: 20 }, (_, at) => people[at % 2]!);
  const asked = order.map(({ token }) => headOf('GET', '/api/profile', { cookie: sessionCookieOf(token) }));
  const answers = answersIn(await sendRaw(asked.join('')));
  expect(answers.map(({ text }) => emailIn(text))).toEqual(order.map(({ email }) => email));
});

test('D27 no spelling of an address passes the rule and reaches the route', async () => {
  const spellings = [
    '//api/profile',
    '/api//profile',
    '/api/%70rofile',
    '/api%2fprofile',
    '/api/profile;x=1',
    '/api/profile/',
    '/API/profile',
    '/api/./profile',
    '/x/../api/profile',
    '/api/profile%00',
    '/api/profile%20',
    '/api/profile.',
    '/api\\profile',
    'http://localhost/api/profile',
    'http://elsewhere/api/profile',
    '/api/products/../profile',
    '/healthz/../api/profile',
  ];
  for (const path of spellings) {
    const [read] = answersIn(await sendRaw(headOf('GET', path, { connection: 'close' })));
    // An address that is not of the API is a page of the shop, the same for everybody.
    if (read?.text.includes('content-type: text/html')) expect(read.status, path).toBe(200);
    else expect([400, 401, 404], `GET ${path}: ${read?.status}`).toContain(read?.status);
    const head = headOf('PATCH', path, {
      connection: 'close',
      origin: 'https://evil.example',
      'content-type': 'application/json',
      'content-length': '2',
    });
    const [write] = answersIn(await sendRaw(`${head}{}`));
    expect([400, 403, 404, 405], `PATCH ${path}: ${write?.status}`).toContain(write?.status);
  }
});

test('D28 headers too large to read are refused with an explanation, and the next request is served', async () => {
  const { token } = await signedIn();
  const own = { cookie: sessionCookieOf(token) };
  const padding = randomBytes(15_000).toString('hex');
  for (const headers of [{ cookie: `a=${padding}` }, { 'x-padding': padding }, { cookie: `${own.cookie}; b=${padding}` }]) {
    const [answer] = answersIn(await sendRaw(headOf('GET', '/api/cart', headers)));
    expect(answer?.status).toBe(431);
    expect(answer?.text).toContain('Clear the cookies of this site');
  }
  // The largest cookies that browsers make, beside ours, are still served.
  const tossed = { cookie: `a=${'x'.repeat(4_000)}; b=${'y'.repeat(4_000)}; ${own.cookie}` };
  expect((await plain('/api/cart', { headers: tossed })).status).toBe(200);
  expect((await plain('/api/cart', { headers: own })).status).toBe(200);
  const many = Object.fromEntries(Array.from({ length: 1_500 }, (_, at) => [`x-${at}`, '1']));
  expect([200, 431]).toContain(answersIn(await sendRaw(headOf('GET', '/api/cart', { ...own, ...many })))[0]?.status);
});
