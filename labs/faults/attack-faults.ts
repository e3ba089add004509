/** Defences of the running system, each with what takes it away and the attack that must then succeed: an attack that cannot is a decoration. */
/* oxlint-disable max-lines -- Longer because it is one list. */
import type { Edit, PlantedFault } from './planted.ts';

export interface AttackFault extends PlantedFault {
  /** Embedded where it shows there too: it starts in a third of the time. */
  readonly provider: 'embedded' | 'native';
  /** The file in labs/attacks, and the beginning of the title. */
  readonly noticedBy: { readonly file: string; readonly title: string };
  /** Also in CI. */
  readonly fast?: true;
}

const one = (file: string, find: string, replace: string): readonly Edit[] => [{ file, find, replace }];

const lifecycle: readonly AttackFault[] = [
  {
    name: 'sign-in-leaves-the-old-session',
    edits: one('apps/auth/src/sign-in/login.ts', 'await endSession(auth, cause, live,', 'if (false) await endSession(auth, cause, live,'),
    provider: 'embedded',
    noticedBy: { file: 'session-lifecycle', title: 'A1 a token that was there before a sign-in' },
  },
  {
    name: 'services-do-not-hear-revocations',
    edits: one(
      'libs/identity/src/passport.ts',
      'return feed?.isRevoked(identity) === true ? revoked(audience) : identity;',
      'return identity;',
    ),
    provider: 'embedded',
    noticedBy: { file: 'session-lifecycle', title: 'A2 after a sign-out' },
    fast: true,
  },
  {
    name: 'nobody-hears-revocations',
    // Either alone does not show here: a gateway is told by the service that refuses, and a service is asked only by gateways.
    edits: [
      {
        file: 'apps/gateway/src/identity/identity-cache.ts',
        find: 'this.evict(keys, (entry) => entry.tokenHash === what.tokenHash || (what.ended && entry.identity.handle === what.handle));',
        replace: '',
      },
      {
        file: 'libs/identity/src/passport.ts',
        find: 'return feed?.isRevoked(identity) === true ? revoked(audience) : identity;',
        replace: 'return identity;',
      },
    ],
    provider: 'embedded',
    noticedBy: { file: 'session-lifecycle', title: 'A2 after a sign-out' },
  },
  {
    name: 'refusals-clear-cookies',
    edits: one(
      'apps/gateway/src/edge/problem-answer.ts',
      'reply.code(status).headers(headers).send(body);',
      "if (found.problem === 'session_ended') reply.header('set-cookie', '__Host-session=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0');\n    reply.code(status).headers(headers).send(body);",
    ),
    provider: 'embedded',
    noticedBy: { file: 'session-lifecycle', title: 'A8 an answer to an old token' },
  },
];

const signature = {
  file: 'libs/identity/src/jws.ts',
  find: 'if (!isSigned(algorithm, key, signed, signature))',
  replace: 'if (false)',
};
/** The two looks at the name of the algorithm: the list of the kind, and the key. */
const algorithmIsOneOf = (names: string): readonly Edit[] => [
  {
    file: signature.file,
    find: "if (!expected.algorithms.some((algorithm) => header['alg'] === algorithm))",
    replace: `if (!/^(ES256|Ed25519|${names})$/i.test(header['alg']))`,
  },
  {
    file: signature.file,
    find: "if (algorithm === undefined || header['alg'] !== algorithm)",
    replace: 'if (algorithm === undefined)',
  },
];

const carried: readonly AttackFault[] = [
  {
    name: 'refresh-tokens-may-be-used-again',
    edits: one('libs/session/src/session.refresh.ts', 'if (shown < counted.generation - 1)', 'if (false)'),
    provider: 'embedded',
    noticedBy: { file: 'self-contained-sessions', title: 'A6 a refresh token that is used again' },
  },
  {
    name: 'losers-of-a-refresh-are-thieves',
    edits: one('libs/session/src/session.refresh.ts', "return proved ? 'rotated' : 'repeated';", "return proved ? 'rotated' : 'reused';"),
    provider: 'embedded',
    noticedBy: { file: 'self-contained-sessions', title: 'A7 twenty requests' },
  },
  {
    name: 'a-handle-ends-a-session',
    edits: one('apps/gateway/src/identity/identify-caller.ts', 'if (own && refresh !== undefined)', 'if (refresh !== undefined)'),
    provider: 'embedded',
    noticedBy: { file: 'self-contained-sessions', title: 'A51 a self-made refresh token' },
  },
  {
    name: 'the-denylist-is-not-looked-at',
    edits: one('libs/identity/src/passport.ts', "identity.accessMode === 'jwt-denylist' && feed?.isRevoked(identity) === true", 'false'),
    provider: 'embedded',
    noticedBy: { file: 'self-contained-sessions', title: 'A2 after a sign-out' },
  },
];

const accounts: readonly AttackFault[] = [
  {
    name: 'a-new-password-ends-nobody',
    edits: one('apps/auth/src/sign-in/change-password.ts', 'if (request.endOthers)', 'if (false)'),
    provider: 'embedded',
    noticedBy: { file: 'accounts', title: 'A10 a person who changes the password' },
  },
  {
    name: 'the-disabled-sign-in',
    edits: one('apps/auth/src/sign-in/prove-password.ts', ' || who.account.disabled === 1', ''),
    provider: 'embedded',
    noticedBy: { file: 'accounts', title: 'A10 a disabled person' },
  },
  {
    name: 'anyone-is-an-administrator',
    edits: [
      { file: 'apps/gateway/src/account/administrator.ts', find: "if (view.role !== 'admin')", replace: 'if (false)' },
      { file: 'apps/auth/src/admin/admins.ts', find: "own.account.role === 'admin' && own.account.disabled === 0", replace: 'true' },
    ],
    provider: 'embedded',
    noticedBy: { file: 'accounts', title: 'A10 only an administrator can do administrator actions' },
  },
  {
    name: 'codes-count-again',
    edits: one('apps/auth/src/factors/totp.ts', ".where('last_step', '<', step)", ''),
    provider: 'embedded',
    noticedBy: { file: 'accounts', title: 'A10 a password alone opens nothing' },
  },
];

const forgery: readonly AttackFault[] = [
  {
    name: 'signatures-are-not-verified',
    edits: [signature],
    provider: 'embedded',
    noticedBy: { file: 'token-forgery', title: 'B11 a real header and changed claims' },
    fast: true,
  },
  {
    name: 'alg-none-is-taken',
    edits: [
      ...algorithmIsOneOf('none'),
      {
        file: signature.file,
        find: 'const signature = fromBase64url(signaturePart);',
        replace: "const signature = /^none$/i.test(header['alg']) ? Buffer.alloc(64, 1) : fromBase64url(signaturePart);",
      },
      {
        ...signature,
        replace: `if (!/^none$/i.test(header['alg']) && !isSigned(algorithm, key, signed, signature))`,
      },
    ],
    provider: 'embedded',
    noticedBy: { file: 'token-forgery', title: 'B11 alg none' },
  },
  {
    name: 'the-algorithm-is-the-token’s',
    edits: [
      ...algorithmIsOneOf('HS256'),
      {
        file: signature.file,
        find: 'if (signature.length !== signatureLength || hasZeroHalf(signature))',
        replace: 'if (false)',
      },
      {
        ...signature,
        replace:
          "if (header['alg'] === 'HS256' ? !process.getBuiltinModule('node:crypto').createHmac('sha256', key.export({ format: 'pem', type: 'spki' })).update(signed).digest().equals(signature) : !isSigned(algorithm, key, signed, signature))",
      },
    ],
    provider: 'embedded',
    noticedBy: { file: 'token-forgery', title: 'B12 a MAC keyed' },
  },
  {
    name: 'any-kid-finds-a-key',
    edits: [signature],
    provider: 'embedded',
    noticedBy: { file: 'token-forgery', title: 'B13 a kid is a name' },
  },
  {
    name: 'the-token-brings-its-key',
    edits: [
      {
        file: signature.file,
        find: "Object.values(header).every((value) => typeof value === 'string')",
        replace: 'true',
      },
      { file: signature.file, find: 'if (!Object.keys(header).every((name) => known.has(name)))', replace: 'if (false)' },
      {
        file: signature.file,
        find: 'const key = expected.find(',
        replace:
          "const key = header['jwk'] !== undefined ? process.getBuiltinModule('node:crypto').createPublicKey({ key: header['jwk'], format: 'jwk' }) : expected.find(",
      },
    ],
    provider: 'embedded',
    noticedBy: { file: 'token-forgery', title: 'B14 a key that the token brings' },
  },
  {
    name: 'unknown-critical-headers-pass',
    edits: [
      { file: signature.file, find: "Object.values(header).every((value) => typeof value === 'string')", replace: 'true' },
      { file: signature.file, find: 'if (!Object.keys(header).every((name) => known.has(name)))', replace: 'if (false)' },
      signature,
    ],
    provider: 'embedded',
    noticedBy: { file: 'token-forgery', title: 'B15 a critical header' },
  },
  {
    name: 'any-typ-is-a-passport',
    edits: [{ file: signature.file, find: "if (header['typ'] !== expected.typ)", replace: 'if (false)' }, signature],
    provider: 'embedded',
    noticedBy: { file: 'token-forgery', title: 'B16 tokens of other kinds' },
  },
  {
    name: 'zeros-are-a-signature',
    edits: [
      { file: signature.file, find: 'if (signature.length !== signatureLength || hasZeroHalf(signature))', replace: 'if (false)' },
      {
        ...signature,
        replace: 'if (!hasZeroHalf(signature) && !isSigned(algorithm, key, signed, signature))',
      },
    ],
    provider: 'embedded',
    noticedBy: { file: 'token-forgery', title: 'B18 a signature of zeros' },
  },
];

const mesh: readonly AttackFault[] = [
  {
    name: 'any-audience-will-do',
    edits: one('libs/identity/src/passport.ts', "return 'wrong_audience';", 'void 0;'),
    provider: 'native',
    noticedBy: { file: 'cross-service', title: 'C20 a passport for one service' },
  },
  {
    name: 'any-service-may-call',
    edits: [
      { file: 'libs/identity/src/admission.ts', find: 'return admitted ? undefined', replace: 'return true ? undefined' },
      { file: 'libs/identity/src/admission.ts', find: 'const atFirstHand = !caller.proven ||', replace: 'const atFirstHand = true ||' },
    ],
    provider: 'native',
    noticedBy: { file: 'cross-service', title: 'C21 a service with its own certificate' },
  },
  {
    name: 'certificates-are-optional',
    // Asked for, as the services could not call each other without, but not insisted on.
    edits: one(
      'libs/mesh/src/tls/mesh-credentials.ts',
      'createCertificateProviderServerCredentials(provider, provider, true)',
      'createCertificateProviderServerCredentials(provider, provider, false)',
    ),
    provider: 'native',
    noticedBy: { file: 'cross-service', title: 'C22 no caller reaches a service' },
  },
  {
    name: 'sensitive-takes-old-passports',
    edits: one('libs/identity/src/admission.ts', 'nowMs - identity.issuedAtMs > sensitiveAgeMaxMs', 'false'),
    provider: 'native',
    noticedBy: { file: 'cross-service', title: 'C22 a sensitive method' },
  },
  {
    name: 'claims-need-no-signature',
    edits: one('apps/cart/src/commands/claims.ts', 'if (!(await isAuthentic(record, keys)))', 'if (false)'),
    provider: 'native',
    noticedBy: { file: 'broker', title: 'C23 a claim that auth did not sign' },
  },
  {
    name: 'the-feed-believes-unsigned-records',
    edits: one(
      'libs/identity/src/revocation-feed.ts',
      "const event = verdict === 'valid' ? decode(record) : undefined;",
      'const event = decode(record);',
    ),
    provider: 'native',
    noticedBy: { file: 'broker', title: 'C23 forged records on the revocation feed' },
  },
  {
    name: 'a-replayed-heartbeat-renews',
    edits: one('libs/identity/src/revocation-feed.ts', 'Math.min(fetchStartedMs, beatMs)', 'fetchStartedMs'),
    provider: 'native',
    noticedBy: { file: 'broker', title: 'C23 while auth is silent' },
  },
];

const edge: readonly AttackFault[] = [
  {
    name: 'look-alikes-are-not-counted',
    edits: one(
      'apps/gateway/src/edge/http-server.ts',
      'const dropped = dropLookalikes(request.raw.headers, request.raw.rawHeaders);',
      'const dropped = 0;',
    ),
    provider: 'embedded',
    noticedBy: { file: 'edge-spoofing', title: 'D24 identity headers of any spelling' },
  },
  {
    name: 'a-look-alike-beside-the-passport-passes',
    edits: one('libs/mesh/src/metadata.ts', 'if (meant === callMetadata.passport || meant === callMetadata.accessToken)', 'if (false)'),
    provider: 'embedded',
    noticedBy: { file: 'edge-spoofing', title: 'D24 a service takes exactly one passport' },
  },
  {
    name: 'requests-are-parsed-leniently',
    edits: one(
      'apps/gateway/src/edge/http-adapter.ts',
      'requireHostHeader: false }',
      'requireHostHeader: false, insecureHTTPParser: true }',
    ),
    provider: 'embedded',
    noticedBy: { file: 'edge-spoofing', title: 'D26 no second request hides' },
    fast: true,
  },
  {
    name: 'the-rule-goes-by-spelling',
    edits: one('apps/gateway/src/edge/http-server.ts', "request.exchange?.route?.startsWith('/api/') === true || ", ''),
    provider: 'embedded',
    noticedBy: { file: 'edge-spoofing', title: 'D27 no spelling of an address' },
  },
  {
    name: 'headers-have-no-bound',
    edits: one('apps/gateway/src/edge/http-adapter.ts', 'maxHeaderSize: headerLengthMax', 'maxHeaderSize: 4_000_000'),
    provider: 'embedded',
    noticedBy: { file: 'edge-spoofing', title: 'D28 headers too large' },
  },
];

const browser: readonly AttackFault[] = [
  {
    name: 'unsafe-requests-from-anywhere',
    edits: one('apps/gateway/src/edge/header-rules.ts', 'if (safeMethods.has(request.method))', 'if (true)'),
    provider: 'embedded',
    noticedBy: { file: 'browser-attacks', title: 'E31 an unsafe request' },
    fast: true,
  },
  {
    name: 'forms-sign-in',
    edits: one('apps/gateway/src/edge/header-rules.ts', 'if (safeMethods.has(request.method))', 'if (true)'),
    provider: 'embedded',
    noticedBy: { file: 'browser-attacks', title: 'E29 a page at localhost' },
  },
  {
    name: 'scripts-read-the-cookie',
    edits: one(
      'apps/gateway/src/identity/cookies.ts',
      '${sessionCookie}=${token}; Path=/; Secure; HttpOnly;',
      '${sessionCookie}=${token}; Path=/; Secure;',
    ),
    provider: 'embedded',
    noticedBy: { file: 'browser-attacks', title: 'E30 a page on another port' },
  },
  {
    name: 'the-last-cookie-wins',
    edits: one('apps/gateway/src/identity/cookies.ts', 'if (found.has(ours))', 'if (false)'),
    provider: 'embedded',
    noticedBy: { file: 'browser-attacks', title: 'E30 two cookies that could both be' },
  },
  {
    name: 'answers-for-every-origin',
    edits: one(
      'apps/gateway/src/edge/security-headers.ts',
      "'x-content-type-options': 'nosniff',",
      "'x-content-type-options': 'nosniff', 'access-control-allow-origin': '*',",
    ),
    provider: 'embedded',
    noticedBy: { file: 'browser-attacks', title: 'E32 no other origin reads' },
  },
  {
    name: 'pages-may-be-framed',
    edits: [
      { file: 'apps/gateway/src/edge/security-headers.ts', find: `"frame-ancestors 'none'",`, replace: '' },
      { file: 'apps/gateway/src/edge/security-headers.ts', find: "'x-frame-options': 'DENY',", replace: '' },
    ],
    provider: 'embedded',
    noticedBy: { file: 'browser-attacks', title: 'E32 the shop cannot be framed' },
  },
  {
    name: 'signing-out-ends-nothing',
    edits: [
      { file: 'apps/gateway/src/session/logout.ts', find: 'if (exchange.token !== undefined)', replace: 'if (false)' },
      { file: 'apps/gateway/src/session/logout.ts', find: 'return { status: 204, loggedOut: true };', replace: 'return { status: 204 };' },
    ],
    provider: 'embedded',
    noticedBy: { file: 'browser-attacks', title: 'E33 after a sign-out' },
  },
  {
    name: 'personal-answers-are-kept',
    edits: one('apps/gateway/src/edge/security-headers.ts', "'cache-control': 'no-store',", "'cache-control': 'public, max-age=60',"),
    provider: 'embedded',
    noticedBy: { file: 'browser-attacks', title: 'E34 an answer that a shared cache may keep' },
  },
];

const store: readonly AttackFault[] = [
  {
    name: 'the-cache-forgets-whose',
    edits: one('apps/gateway/src/identity/identity-cache.ts', '`${request.tokenHash} ${request.audience}`', 'request.audience'),
    provider: 'native',
    noticedBy: { file: 'cache-and-store', title: 'F37 people who read' },
  },
  {
    name: 'epochs-never-end',
    edits: one('libs/session/src/session.scripts.layout.ts', "redis.call('PEXPIRE', index.key, whole(index.ttl), 'NX')", ''),
    provider: 'native',
    noticedBy: { file: 'cache-and-store', title: 'F40 every key' },
  },
  {
    name: 'the-store-knows-the-secret',
    edits: one(
      'libs/session/src/token.ts',
      "return hash('sha256', secret, 'base64url');",
      "return Buffer.from(secret).toString('base64url');",
    ),
    provider: 'native',
    noticedBy: { file: 'cache-and-store', title: 'G48 no value in the store' },
  },
  {
    name: 'unavailable-is-nobody',
    edits: one(
      'apps/gateway/src/edge/policy.guard.ts',
      'if (isProblem(found))',
      'if (isProblem(found)) return undefined;\n    if (isProblem(found))',
    ),
    provider: 'native',
    noticedBy: { file: 'cache-and-store', title: 'H with the store silent' },
  },
  {
    name: 'signing-out-is-claimed',
    edits: one('apps/gateway/src/session/logout.ts', 'if (isProblem(done))', 'if (false)'),
    provider: 'native',
    noticedBy: { file: 'cache-and-store', title: 'H with auth silent' },
  },
  {
    name: 'unknown-accounts-cost-nothing',
    edits: one(
      'apps/auth/src/sign-in/prove-password.ts',
      'const matches = await',
      'const matches = who.account === undefined ? false : await',
    ),
    provider: 'embedded',
    noticedBy: { file: 'side-channels', title: 'G46 an unknown account' },
  },
  {
    name: 'dead-tokens-are-told-apart',
    edits: one(
      'apps/gateway/src/edge/policy.guard.ts',
      "return policy.identity === 'maybe' ? undefined : problem('session_ended');",
      "return policy.identity === 'maybe' ? undefined : problem(exchange.token.text.includes('.0000.') ? 'session_required' : 'session_ended');",
    ),
    provider: 'embedded',
    noticedBy: { file: 'side-channels', title: 'G46 a revoked token and one that was never issued' },
  },
  {
    name: 'devices-are-named-by-their-token',
    edits: one(
      'apps/gateway/src/session/list-devices.ts',
      'handle: device.handle,',
      'handle: device.current ? exchange.token.text : device.handle,',
    ),
    provider: 'embedded',
    noticedBy: { file: 'side-channels', title: 'G50 the list of devices' },
  },
];

export const attackFaults: readonly AttackFault[] = [
  ...lifecycle,
  ...carried,
  ...accounts,
  ...forgery,
  ...mesh,
  ...edge,
  ...browser,
  ...store,
];
