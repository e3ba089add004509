/**
 * Every attack of the list in docs/security.md. It names the tests that try the attack, by file and beginning of the title, or says
 * why the attack cannot touch this system.
 */
/* oxlint-disable max-lines -- Longer because it is one table. */

export interface Attack {
  readonly id: string;
  readonly name: string;
  /** OWASP ASVS 5.0, RFCs, advisories. */
  readonly standards: string;
  readonly triedBy: readonly Trial[];
  /** The reason why nothing tries it, or why not all of it is tried. */
  readonly gap?: string;
}

export interface Trial {
  readonly file: string;
  readonly title: string;
}

const e2e = (name: string, ...titles: readonly string[]): Trial[] =>
  titles.map((title) => ({ file: `labs/attacks/${name}.e2e.ts`, title }));
const at = (file: string, ...titles: readonly string[]): Trial[] => titles.map((title) => ({ file, title }));

const jws = 'libs/identity/src/jws.test.ts';
const feed = 'libs/identity/src/revocation-feed.test.ts';
const cache = 'apps/gateway/src/identity/identity-cache.test.ts';
const races = 'libs/session/src/contract/session-store.races.contract.ts';
const contract = 'libs/session/src/contract/session-store.contract.ts';
const realStore = 'libs/session/src/session.store.redis.int.test.ts';
const clusterFaults = 'libs/session/src/session.faults.cluster.int.test.ts';

const lifecycle: readonly Attack[] = [
  {
    id: 'A1',
    name: 'Fixation',
    standards: 'ASVS 7.2.4',
    triedBy: [
      ...e2e('session-lifecycle', 'A1 a token that was there before a sign-in', 'A1 a sign-in never adopts a token that the attacker made'),
      ...at('apps/auth/src/sessions/devices.test.ts', 'does not trade a passport of one session for the token of another'),
    ],
  },
  {
    id: 'A2',
    name: 'Replay after sign-out, cookie and passport',
    standards: 'ASVS 7.4.1',
    triedBy: [
      ...e2e('session-lifecycle', 'A2 after a sign-out every gateway refuses the cookie'),
      ...e2e('self-contained-sessions', 'A2 after a sign-out no gateway and no service takes the access token'),
      ...at('e2e/sessions/logout-kills-the-cookie-everywhere.e2e.ts', 'a cookie that was copied before sign-out'),
    ],
  },
  {
    id: 'A3',
    name: 'Sign-out during a touch, a write or a rotation',
    standards: 'ASVS 7.4.1',
    triedBy: [
      ...e2e('session-lifecycle', 'A3 a sign-out that races reads'),
      ...at(races, 'never resurrects a session that is revoked while it is touched, rotated and resumed at once'),
    ],
  },
  {
    id: 'A4',
    name: 'Read-through resurrection',
    standards: 'ASVS 7.4.1',
    triedBy: at(
      cache,
      'is worth nothing when the token was known to be dead before',
      'is not kept when everything was distrusted meanwhile',
    ),
  },
  {
    id: 'A5',
    name: 'End of all sessions during a sign-in',
    standards: 'ASVS 7.5.2',
    triedBy: [
      ...e2e('session-lifecycle', 'A5 sign-ins that race the end of all others'),
      ...at(races, 'lets a sign-in that overlaps a revoke-all either be dead or carry the new epoch'),
      ...at(
        'libs/session/src/contract/session-store.histories.contract.ts',
        'agrees with the rules of a session and its index with what is live',
      ),
    ],
  },
  {
    id: 'A6',
    name: 'Reuse of a refresh token',
    standards: 'RFC 9700 4.14, ASVS 10.4.5',
    triedBy: [
      ...e2e('self-contained-sessions', 'A6 a refresh token that is used again'),
      ...at(
        'apps/auth/src/tokens/refresh.test.ts',
        'of a token that was used before ends the session everywhere, once, and tells the person',
      ),
    ],
    gap: 'within the grace of 10 s the gateway that exchanged a token repeats its answer from memory, even if the successor was used meanwhile',
  },
  {
    id: 'A7',
    name: 'Losers of a refresh race',
    standards: 'RFC 9700 4.14',
    triedBy: [
      ...e2e('self-contained-sessions', 'A7 twenty requests that come with one refresh token'),
      ...at('apps/auth/src/tokens/refresh.test.ts', 'gives 20 at once one lineage, and signs nobody out'),
    ],
  },
  {
    id: 'A8',
    name: 'A late answer to an old session',
    standards: 'ASVS 7.4.1',
    triedBy: [
      ...e2e('session-lifecycle', 'A8 an answer to an old token sets no session cookie'),
      ...at('apps/gateway/src/session/session.test.ts', 'ends the session and clears every cookie of one, and is the only thing that does'),
    ],
  },
  {
    id: 'A9',
    name: 'Idle and absolute limit',
    standards: 'ASVS 7.3.1, 7.3.2',
    triedBy: [
      ...at(contract, 'never moves the idle limit past the absolute limit', 'does not move the idle limit when nobody did anything'),
      ...at('libs/session/src/session.test.ts', 'end a session at the absolute limit however active it was'),
      ...at('apps/gateway/src/events/events.test.ts', 'never touches the session'),
    ],
  },
  {
    id: 'A10',
    name: 'Disabled account, changed password, rights of others, half a sign-in',
    standards: 'ASVS 7.4.2, 7.4.3, 8.2.1, 6.3.4',
    triedBy: [
      ...e2e(
        'accounts',
        'A10 a person who changes the password',
        'A10 a disabled person is signed out everywhere',
        'A10 only an administrator can do administrator actions',
        'A10 a password alone opens nothing for an account with a second factor',
      ),
      ...at('apps/auth/src/factors/passkeys.test.ts', 'takes a challenge once, and spends it on a wrong answer too'),
      ...at('apps/auth/src/tokens/resolve.test.ts', 'ends every session of a user by one epoch, and everybody by the global one'),
    ],
  },
  {
    id: 'A51',
    name: 'Another person’s session ended by its handle',
    standards: 'ASVS 7.2.1',
    triedBy: [
      ...e2e('self-contained-sessions', 'A51 a self-made refresh token'),
      ...at('apps/gateway/src/identity/forged-refresh.test.ts', '%s with a refresh token of one’s own making ends nobody’s session'),
    ],
  },
];

const forgery: readonly Attack[] = [
  {
    id: 'B11',
    name: 'alg none, in any case; changed claims',
    standards: 'ASVS 9.1.1, 9.1.2, RFC 8725 3.1',
    triedBy: [...e2e('token-forgery', 'B11 alg none', 'B11 a real header and changed claims'), ...at(jws, 'alg none without a signature')],
  },
  {
    id: 'B12',
    name: 'MAC keyed with the public key',
    standards: 'ASVS 9.1.2, RFC 8725 2.1',
    triedBy: [...e2e('token-forgery', 'B12 a MAC keyed with the public key'), ...at(jws, 'refuses a MAC made with the public key')],
  },
  {
    id: 'B13',
    name: 'kid: paths, SQL, prototypes, floods',
    standards: 'ASVS 9.1.3, RFC 8725 3.10',
    triedBy: [
      ...e2e('token-forgery', 'B13 a kid is a name and nothing else'),
      ...at(jws, 'a kid named like a prototype'),
      ...at('libs/identity/src/keys.test.ts', 'turns a flood of refreshes into one fetch a second'),
    ],
  },
  {
    id: 'B14',
    name: 'jku, x5u, jwk, x5c to the attacker’s key',
    standards: 'ASVS 9.1.3, RFC 8725 3.10',
    triedBy: e2e('token-forgery', 'B14 a key that the token brings or points to'),
  },
  { id: 'B15', name: 'Unknown crit', standards: 'RFC 7515 4.1.11', triedBy: e2e('token-forgery', 'B15 a critical header') },
  {
    id: 'B16',
    name: 'A token of another kind as a passport, and back',
    standards: 'ASVS 9.2.2, RFC 8725 3.11',
    triedBy: [
      ...e2e('token-forgery', 'B16 tokens of other kinds are no passport'),
      ...e2e('self-contained-sessions', 'B16 an access token is no passport, a passport no access token'),
      ...e2e('broker.native', 'C23 an event of auth is no passport'),
      ...at('libs/identity/src/passport.test.ts', 'signed as an event is refused'),
    ],
  },
  {
    id: 'B17',
    name: 'Repeated members, odd times',
    standards: 'ASVS 9.2.1, RFC 8725 2.4',
    triedBy: [
      ...e2e('token-forgery', 'B17 claims spelt twice'),
      // A good key signed these, and no attacker outside has one: so the claims alone decide.
      ...at(
        'libs/identity/src/passport.test.ts',
        'in which a member is repeated is refused',
        'that ends before it begins',
        'authenticated in the future',
      ),
    ],
  },
  {
    id: 'B18',
    name: 'ES256 with r = s = 0',
    standards: 'CVE-2022-21449',
    triedBy: e2e('token-forgery', 'B18 a signature of zeros'),
  },
  {
    id: 'B19',
    name: 'A retired key',
    standards: 'ASVS 9.1.3',
    triedBy: [
      ...at('apps/auth/src/tokens/signing-keys.test.ts', 'refuses the old keys at once in an emergency'),
      ...at('libs/identity/src/passport.test.ts', 'ends when its key is retired'),
      ...at('libs/identity/src/keys.test.ts', 'drops what auth no longer lists, and never takes back what was retired'),
      ...at(feed, 'retires a leaked key at once'),
    ],
  },
  {
    id: 'B52',
    name: 'Another algorithm than the key’s: ES256 for Ed25519 and back, EdDSA, other curves',
    standards: 'ASVS 9.1.2, RFC 8725 3.1, RFC 9864',
    triedBy: [
      ...e2e('token-forgery', 'B52 a header that names another algorithm than its key'),
      // The signature is right for the key there, which no attacker outside can make: so the name alone decides.
      ...at(
        jws,
        'is that of its key: a key for %s verifies none that says %j',
        'is no MAC, whichever form of a public key for %s is its secret',
        'is not EdDSA: the example of RFC 8037 A.4',
        'has one Ed25519 signature a message',
      ),
      ...at('libs/identity/src/access-token.test.ts', 'is never one that a key for passports alone has signed'),
      ...at('libs/identity/src/events-signature.test.ts', 'that a key for passports alone has signed is refused'),
      ...at('e2e/sessions/keys-and-certificates-rotate.native.e2e.ts', 'passports by Ed25519 and back'),
    ],
  },
];

const mesh: readonly Attack[] = [
  {
    id: 'C20',
    name: 'A passport at another service',
    standards: 'ASVS 9.2.3, 9.2.4, RFC 9700 2.3',
    triedBy: e2e('cross-service.native', 'C20 a passport for one service is refused by every other'),
  },
  {
    id: 'C21',
    name: 'Confused deputy',
    standards: 'ASVS 8.3.3',
    triedBy: [
      ...e2e('cross-service.native', 'C21 a service with its own certificate and somebody’s passport'),
      ...at('apps/profile/src/profile.test.ts', "cannot take over another person's address by its id"),
      ...at('apps/cart/src/commands/commands.test.ts', "kills nothing by another person's seen"),
    ],
  },
  {
    id: 'C22',
    name: 'Direct call to a service, without certificate or passport',
    standards: 'ASVS 7.2.1, 8.3.3',
    triedBy: e2e(
      'cross-service.native',
      'C22 no caller reaches a service without a certificate',
      'C22 a sensitive method takes no passport',
    ),
  },
  {
    id: 'C23',
    name: 'Kafka: forged, replayed, moved, repeated records',
    standards: 'ASVS 9.1.1',
    triedBy: [
      ...e2e(
        'broker.native',
        'C23 a claim that auth did not sign',
        'C23 a real claim that is published again',
        'C23 forged records on the revocation feed',
        'C23 while auth is silent neither forged nor replayed heartbeats',
      ),
      ...at('apps/cart/src/commands/claims.test.ts', 'is refused when its signature is of another record'),
    ],
    gap: 'records of cart.events are not signed, so a client with write access there can change carts (docs/threat-model.md)',
  },
];

const edge: readonly Attack[] = [
  {
    id: 'D24',
    name: 'Identity headers, metadata and trailers from outside',
    standards: 'ASVS 4.1.3, RFC 9700 4.13, GHSA-5m6w-wvh7-57vm',
    triedBy: [
      ...e2e('edge-spoofing', 'D24 identity headers of any spelling', 'D24 a service takes exactly one passport'),
      ...at('libs/identity/src/mesh/mesh.matrix.test.ts', 'another one appended by merge'),
      ...at('apps/gateway/src/edge/edge.test.ts', 'never reach a service: it sees the passport that auth signed, and one only'),
    ],
  },
  {
    id: 'D25',
    name: 'Other spellings of method paths',
    standards: 'CVE-2026-33186',
    triedBy: [
      ...e2e('edge-spoofing', 'D25 a path with another spelling reaches no method'),
      ...at('libs/identity/src/mesh/mesh.matrix.test.ts', 'is not reached by another spelling of its path'),
    ],
  },
  {
    id: 'D26',
    name: 'Request smuggling',
    standards: 'ASVS 4.2.1, RFC 9112 6.3',
    triedBy: e2e('edge-spoofing', 'D26 no second request hides in a first one', 'D26 two people on one connection'),
    gap: 'HTTP/2 downgrade cannot happen, because the gateway speaks only HTTP/1.1 and forwards no request',
  },
  {
    id: 'D27',
    name: 'Spellings of a path that rule and router read differently',
    standards: 'ASVS 4.1.3',
    triedBy: e2e('edge-spoofing', 'D27 no spelling of an address passes the rule'),
  },
  {
    id: 'D28',
    name: 'Oversize headers and cookies',
    standards: 'ASVS 4.2.5',
    triedBy: [
      ...e2e('edge-spoofing', 'D28 headers too large'),
      ...at('apps/gateway/src/edge/edge.test.ts', '431: headers beyond 16 kB, in the same shape'),
    ],
    gap: 'an attacker who can plant 16 kB of cookies (a sibling host) locks that browser out until it clears them; the answer says so',
  },
];

const browser: readonly Attack[] = [
  {
    id: 'E29',
    name: 'Login and logout CSRF, forced session',
    standards: 'ASVS 3.5.1, 3.5.3, 7.6.2',
    triedBy: e2e('browser-attacks', 'E29 a page at '),
  },
  {
    id: 'E30',
    name: 'Cookie tossing',
    standards: 'ASVS 3.3.3, RFC 6265bis 4.1.3',
    triedBy: [
      ...e2e('browser-attacks', 'E30 a page on another port', 'E30 two cookies that could both be the session'),
      ...at('apps/gateway/src/edge/edge.test.ts', 'of a name that is ours only after a no-break space is not ours'),
    ],
  },
  {
    id: 'E31',
    name: 'CSRF without Fetch Metadata, as text, by method override',
    standards: 'ASVS 3.5.1, 3.5.2',
    triedBy: e2e('browser-attacks', 'E31 an unsafe request that does not say where it comes from'),
  },
  {
    id: 'E32',
    name: 'CORS, null origin, framing',
    standards: 'ASVS 3.4.2, 3.4.6',
    triedBy: e2e('browser-attacks', 'E32 no other origin', 'E32 the shop cannot be framed'),
  },
  {
    id: 'E33',
    name: 'Back button after sign-out',
    standards: 'ASVS 14.3.2',
    triedBy: e2e('browser-attacks', 'E33 after a sign-out the back button'),
    gap: 'no Clear-Site-Data is sent: the page itself drops its data',
  },
  {
    id: 'E34',
    name: 'Cookie or person in a cacheable answer',
    standards: 'ASVS 14.2.2',
    triedBy: [
      ...e2e('browser-attacks', 'E34 an answer that a shared cache may keep'),
      ...at('apps/gateway/src/edge/edge.test.ts', 'that is personal is never to be stored'),
    ],
  },
];

const store: readonly Attack[] = [
  {
    id: 'F35',
    name: 'Cache entries shared between audiences',
    standards: 'CVE-2021-32701',
    triedBy: [
      ...at(cache, 'is never used for another token or another audience'),
      ...at('apps/gateway/src/identity/failing-parts.test.ts', 'a passport that is cached for one service lets nobody into another'),
    ],
  },
  { id: 'F36', name: 'Negative caching', standards: 'ASVS 7.2.3', triedBy: at(cache, 'is not kept for a session that does not exist') },
  {
    id: 'F37',
    name: 'Another person’s reply from a broken connection',
    standards: 'ASVS 7.2.1',
    triedBy: [
      ...e2e('cache-and-store.native', 'F37 people who read while the store falls silent'),
      ...at(realStore, 'gives no answer on that belongs to another question, and drops the connection'),
      ...at(contract, 'refuses a record that does not hold its own hash'),
    ],
  },
  {
    id: 'F38',
    name: 'Requests that share state',
    standards: 'ASVS 7.2.1',
    triedBy: [
      ...at('libs/identity/src/mesh/mesh.calls.test.ts', 'belongs to one call, however many interleave'),
      ...e2e('edge-spoofing', 'D26 two people on one connection'),
    ],
  },
  {
    id: 'F39',
    name: 'Stampede at expiry',
    standards: '-',
    triedBy: at(
      cache,
      'is spread in its end, so that entries filled together do not ask together',
      'ask auth once for one token and audience',
    ),
  },
  {
    id: 'F40',
    name: 'Keys without an end',
    standards: 'ASVS 7.3.2',
    triedBy: e2e('cache-and-store.native', 'F40 every key of the session store expires'),
  },
  {
    id: 'F41',
    name: 'Growth of indexes',
    standards: '-',
    triedBy: at(contract, 'does not list, touch, rotate or count what has expired'),
    gap: 'all keys expire (F40); no test counts that 10,000 cycles return to the same number of keys',
  },
  {
    id: 'F42',
    name: 'CROSSSLOT',
    standards: '-',
    triedBy: [
      ...at(realStore, 'asks for one MGET or one script, and each of its keys is in one slot'),
      ...at('libs/session/src/session.store.cluster.int.test.ts', 'serves persons of every shard, each by one call in one slot'),
    ],
  },
  {
    id: 'F43',
    name: 'Failover loses a revocation',
    standards: 'ASVS 7.4.1',
    triedBy: [
      ...at(
        'libs/session/src/contract/session-store.durability.contract.ts',
        'stays dead after the store was rolled back to before a revocation',
      ),
      ...at('apps/auth/src/auth.int.test.ts', 'keeps the revoked dead in a Redis that was wiped and came back with an old copy'),
      ...at(
        clusterFaults,
        'loses and revives nobody when a primary is killed',
        'keeps no caller waiting, and revives nobody, while a primary is paused',
        'keeps the dead dead when a primary falls that had acknowledged what its replica never got',
      ),
    ],
  },
  {
    id: 'F44',
    name: 'Slot migration during resolve and revoke',
    standards: 'ASVS 7.4.1',
    triedBy: at(clusterFaults, 'answers rightly while slots move from one primary to another'),
  },
  {
    id: 'F45',
    name: 'Partition: revoked there, accepted here',
    standards: 'ASVS 7.4.1',
    triedBy: at(feed, 'trusts nothing before the first heartbeat and nothing after 2 s of silence'),
    gap: 'there is one region; a gateway that is cut off is exposed for the length of the lease',
  },
];

const channels: readonly Attack[] = [
  {
    id: 'G46',
    name: 'Enumeration by words or time',
    standards: 'ASVS 6.3.8, RFC 7662 2.2',
    triedBy: e2e(
      'side-channels',
      'G46 an unknown account is refused like a wrong password',
      'G46 a revoked token and one that was never issued',
    ),
  },
  {
    id: 'G47',
    name: 'Comparison that stops early',
    standards: 'ASVS 11.2.4',
    triedBy: [],
    gap: 'seals are compared by timingSafeEqual (libs/session/src/token.ts); these tests cannot measure nanoseconds over HTTP',
  },
  {
    id: 'G48',
    name: 'A stolen dump of the store',
    standards: 'ASVS 14.2.1',
    triedBy: [
      ...e2e('cache-and-store.native', 'G48 no value in the store opens a session'),
      ...at('libs/session/src/contract/session-store.durability.contract.ts', 'holds nothing from which a token could be made'),
    ],
  },
  {
    id: 'G49',
    name: 'Tokens in logs and traces',
    standards: 'ASVS 16.2.5',
    triedBy: at(
      'e2e/telemetry/no-secret-leaves.e2e.ts',
      'no log line holds a token, a passport, a password',
      'no span that a collector gets holds a secret',
      'the Observatory is told who acts, and no token, signature, passport',
    ),
  },
  {
    id: 'G50',
    name: 'Tokens in the list of devices',
    standards: 'ASVS 3.3.4',
    triedBy: [
      ...e2e('side-channels', 'G50 the list of devices names sessions by handles that cannot be sent as tokens'),
      ...at('apps/auth/src/sessions/devices.test.ts', 'lists the devices, names the one that asks, and shows no token'),
    ],
  },
];

const failures: readonly Attack[] = [
  {
    id: 'H',
    name: 'A lost part shows no other person’s data and signs no one out silently',
    standards: 'ASVS 8.3.2, 16.5.3',
    triedBy: [
      ...e2e(
        'cache-and-store.native',
        'H with the store silent no write is accepted without a person',
        'H with auth silent a sign-out is not confirmed',
      ),
      ...at(
        'apps/gateway/src/identity/failing-parts.test.ts',
        'without a cached passport nobody is let in, and nobody becomes a new guest',
      ),
    ],
    gap: 'the rest, cell by cell: docs/failures.md',
  },
];

export const attacks: readonly Attack[] = [...lifecycle, ...forgery, ...mesh, ...edge, ...browser, ...store, ...channels, ...failures];
