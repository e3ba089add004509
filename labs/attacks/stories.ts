/**
 * The story of each proof, for people who read it in a terminal: which defence is gone, what the attacker does then, what came back, and what
 * the defence does. `npm run attacks -- --prove --only NAME` tells one. The keys are the names in labs/faults/attack-faults.ts.
 */
/* oxlint-disable max-lines -- Longer because it is one table. */

export interface Story {
  readonly takenAway: string;
  readonly attack: string;
  /** The meaning of the answer. The run adds the values that it saw. */
  readonly cameBack: string;
  readonly defence: string;
}

const story = (takenAway: string, attack: string, cameBack: string, defence: string): Story => ({ takenAway, attack, cameBack, defence });

const lifecycle: Readonly<Record<string, Story>> = {
  'sign-in-leaves-the-old-session': story(
    'A sign-in no longer ends the session that the browser held before.',
    'The attacker has a copy of the cookie from before a sign-in. The person signs in, and the attacker sends the copy.',
    'The copy still opened a session. Whoever plants or copies a cookie before a sign-in stays inside after it.',
    'A sign-in makes a new session and ends the old one in the same call. A token from before is worth nothing after.',
  ),
  'services-do-not-hear-revocations': story(
    'Services no longer compare a passport with the revocations that they have heard.',
    'The attacker copied a passport inside the mesh. The person signs out, and the attacker shows the passport to the services.',
    'A service took the passport of a session that had ended.',
    'Each service follows the revocation feed. It hears of a sign-out within 2.5 s, and refuses the passport from then on.',
  ),
  'nobody-hears-revocations': story(
    'Gateways keep a cached identity after its session has ended, and services do not look at revocations either.',
    'The attacker copied the cookie. The person signs out, and the attacker sends the copy to each gateway.',
    'A gateway still let the copy in.',
    'A gateway drops a cached identity when the feed tells of its end. Where the feed is silent, the lease of 2 s runs out and auth is asked.',
  ),
  'refusals-clear-cookies': story(
    'Here something is added: a refusal of an ended session also clears the browser’s session cookie.',
    'An answer to an old token is late. It arrives after the browser has signed in again.',
    'The late answer clears the cookie of the new session. An old request signs the person out.',
    'Only a sign-out clears a session cookie. Any other answer leaves the cookies as they are.',
  ),
};

const carried: Readonly<Record<string, Story>> = {
  'refresh-tokens-may-be-used-again': story(
    'auth no longer notices a refresh token that was used before.',
    'A thief copied a refresh token. The browser uses it, and then its successor. After that the thief uses the copy.',
    'The copy bought the thief a new pair of tokens.',
    'auth counts the refreshes of a session. A token that comes after its successor was used ends the session, for the thief too.',
  ),
  'losers-of-a-refresh-are-thieves': story(
    'auth takes the losers of a refresh race for thieves.',
    'Nobody attacks: an honest browser sends twenty requests with the same refresh token at once.',
    'Requests of the honest browser were refused. A defence that is too strict signs people out.',
    'For 10 s a token that lost the race gets the same successor. So all twenty go on with one session.',
  ),
  'a-handle-ends-a-session': story(
    'A gateway believes the handle in a refresh token that it could not check.',
    'The attacker writes a victim’s session handle, which is no secret, into a self-made refresh token, and signs out with it.',
    'The victim was no longer served as before, although auth had ended nothing.',
    'A gateway forgets a session only where auth says that it sealed the token itself.',
  ),
  'the-denylist-is-not-looked-at': story(
    'Access tokens of the mode jwt-denylist are no longer compared with the revocations.',
    'The attacker copied an access token. The person signs out, and the attacker sends the copy.',
    'The token of an ended session was still taken.',
    'In jwt-denylist everybody looks whether the session was revoked. In jwt nobody looks: that is what that mode costs.',
  ),
};

const accounts: Readonly<Record<string, Story>> = {
  'a-new-password-ends-nobody': story(
    'A change of the password no longer ends the other sessions, although the person asked for that.',
    'A thief is signed in with the stolen password. The owner changes it, and asks to end all other sessions.',
    'The thief’s session went on.',
    'auth ends the other sessions with the change, and every gateway hears of it within 2.5 s.',
  ),
  'the-disabled-sign-in': story(
    'auth no longer looks whether an account is disabled when it proves a password.',
    'An administrator disables an account. Its owner signs in with the right password.',
    'The disabled person was signed in.',
    'auth refuses a disabled account with the words of a wrong password. So the answer does not even tell that it is disabled.',
  ),
  'anyone-is-an-administrator': story(
    'Neither the gateway nor auth asks for the role of an administrator.',
    'A person without the role calls the administrators’ routes, and auth’s rpcs behind them.',
    'The action was done for somebody who is no administrator.',
    'The gateway refuses. auth looks the role up in its own database again, whatever the gateway says.',
  ),
  'codes-count-again': story(
    'auth no longer remembers which one-time code an account used last.',
    'The attacker knows the password and saw the person type a code. They send the same code while it is still good.',
    'The code counted a second time, and opened a session.',
    'auth writes down the time step of each code that it takes. A code of that step, or of an earlier one, is refused.',
  ),
};

const forgery: Readonly<Record<string, Story>> = {
  'signatures-are-not-verified': story(
    'Services no longer verify the signature of a passport.',
    'The attacker has the gateway’s certificate and a real passport. They change its claims and keep the old signature.',
    'A service took the changed passport. The attacker is whoever they write into it.',
    'Each service verifies auth’s signature over header and claims. One changed byte makes it invalid.',
  ),
  'alg-none-is-taken': story(
    'A passport may say that it has no signature: alg none.',
    'The attacker writes alg none into a real passport, in several spellings, and leaves the signature out.',
    'A service took a passport that nobody signed.',
    'The key says its algorithm. The header of a token chooses nothing (RFC 8725, 3.1).',
  ),
  'the-algorithm-is-the-token’s': story(
    'A passport may choose its algorithm, a MAC included.',
    'The attacker takes auth’s public key, which everybody may have, as the secret of a MAC, and writes alg HS256.',
    'A service took a passport that anybody with the public key can make.',
    'auth’s keys are for ES256 or Ed25519, each for one alone. A token that names another algorithm than its key’s is refused.',
  ),
  'any-kid-finds-a-key': story(
    'Services no longer verify signatures, so the name of the key (kid) decides alone.',
    'The attacker signs with a key of their own. As kid they write paths, SQL, prototypes, and the name of a real key.',
    'A service took a passport that the attacker had signed, under the name of a real key.',
    'A kid only picks one of the keys that auth published. The signature must then be good for that key.',
  ),
  'the-token-brings-its-key': story(
    'A passport may bring its own public key in its header (jwk).',
    'The attacker signs with a key of their own, and puts its public half into the token.',
    'A service verified the token with the key that the token brought, and took it.',
    'A header with an unexpected member is refused. Keys come from auth alone, and no address in a token is ever called.',
  ),
  'unknown-critical-headers-pass': story(
    'Unknown members of a header pass, critical ones too, and signatures are not verified.',
    'The attacker adds crit and other members, which would change what the token means.',
    'A service took a token with an instruction that it did not understand.',
    'A header may hold only the members that are known. RFC 7515 demands it for crit.',
  ),
  'any-typ-is-a-passport': story(
    'The kind of a token (typ) is no longer compared, and signatures are not verified.',
    'The attacker shows tokens of other kinds as a passport: an access token, an event, a logout token.',
    'A service took a token of another kind for a passport.',
    'Each kind has a typ of its own, which is compared exactly. A token made for one purpose opens nothing else.',
  ),
  'zeros-are-a-signature': story(
    'A signature of zeros counts as verified.',
    'The attacker sends a passport with 64 bytes of zeros for a signature, as in CVE-2022-21449.',
    'A service took a passport with a blank signature.',
    'A signature needs the right length, and neither half may be zero. Only then it is verified at all.',
  ),
};

const mesh: Readonly<Record<string, Story>> = {
  'any-audience-will-do': story(
    'Services take passports that were made for another service.',
    'The attacker stole a passport at one service, and shows it to all others.',
    'Another service took a passport that was not for it.',
    'A passport names exactly one service (aud), and every other refuses it. A theft at one opens no other.',
  ),
  'any-service-may-call': story(
    'Services no longer ask which service calls them.',
    'The attacker has the certificate of catalog or auth and a stolen passport. They call methods that the contract gives to others.',
    'A service went on to look at the passport of a caller that its contract does not name.',
    'Each rpc names its callers in the contract. The certificate of the connection says who calls.',
  ),
  'certificates-are-optional': story(
    'Services no longer insist on a certificate.',
    'A stranger calls each service without a certificate, or with one of another authority.',
    'The connection was made. Only the passport was left to stop the stranger.',
    'Without a certificate of this mesh there is no connection at all (mutual TLS).',
  ),
  'sensitive-takes-old-passports': story(
    'A sensitive method takes a passport of any age.',
    'The attacker keeps a passport for some seconds, and then asks auth for the list of devices with it.',
    'The old passport opened the sensitive method.',
    'A sensitive method takes a passport for 2 s only. So auth has just said that the session lives.',
  ),
  'claims-need-no-signature': story(
    'cart believes a claim of a guest’s cart without auth’s signature.',
    'The attacker can write to Kafka. They publish that a victim’s guest cart belongs to their own account.',
    'The victim’s lines arrived in the attacker’s cart.',
    'auth signs each of its events. cart drops a claim whose signature is missing or belongs to another record.',
  ),
  'the-feed-believes-unsigned-records': story(
    'The revocation feed believes records that auth did not sign.',
    'The attacker can write to Kafka. They publish the end of a victim’s session, and an epoch above all others.',
    'The victim was refused, although nobody had ended the session.',
    'A record without auth’s signature ends nothing. The gateway asks auth, until the next real heartbeat restores its trust.',
  ),
  'a-replayed-heartbeat-renews': story(
    'A heartbeat counts from the moment when it was read, not from when it was made.',
    'auth is silent. The attacker publishes its old heartbeats again, whose signatures are good.',
    'The gateway trusted its cache again, although auth had been silent all the time.',
    'A heartbeat renews the lease from the moment when it was made. An old one renews nothing.',
  ),
};

const edge: Readonly<Record<string, Story>> = {
  'look-alikes-are-not-counted': story(
    'The gateway no longer looks for headers that resemble identity metadata.',
    'A stranger sends a stolen passport to the gateway as a header, in many spellings and repeated.',
    'Nobody noticed: the counter of such headers did not move.',
    'The gateway drops these headers and counts them (gateway_lookalike_headers_total). An operator sees the attempt.',
  ),
  'a-look-alike-beside-the-passport-passes': story(
    'A service no longer refuses metadata that only resembles the passport’s name.',
    'The attacker sends their own passport, and beside it a stolen one as x_passport or x-passport-bin.',
    'The service answered, although two identities had been stated.',
    'A service takes exactly one passport, under its exact name. Anything that resembles the name is refused.',
  ),
  'requests-are-parsed-leniently': story(
    'The gateway parses HTTP leniently.',
    'The attacker sends a request whose length can be read in two ways. A second request hides in its body.',
    'The gateway took a request that is framed twice. Behind a proxy the hidden one would count as somebody else’s.',
    'The strict parser refuses two lengths, a length beside chunks, and every other ambiguous framing.',
  ),
  'the-rule-goes-by-spelling': story(
    'The cross-site rule looks at the spelling of an address, not at the route that was found.',
    'The attacker writes an address so that the rule does not know it and the router does: /api/%70rofile.',
    'A write from another site reached the route.',
    'The rule follows the route that the router found. So an address has one reading, not two.',
  ),
  'headers-have-no-bound': story(
    'The headers of a request have no bound that matters: 4 MB.',
    'The attacker sends 30 kB of cookies and headers.',
    'The gateway read them all and answered.',
    'Headers beyond 16 kB are refused with 431, which says how to clear the cookies. The next request is served.',
  ),
};

const browser: Readonly<Record<string, Story>> = {
  'unsafe-requests-from-anywhere': story(
    'The gateway no longer asks where an unsafe request comes from.',
    'Another site sends a sign-out with the person’s cookie: without an origin, with a foreign one, or with null.',
    'The shop did it. Another site signed the person out.',
    'An unsafe request must name an origin of this shop, and Fetch Metadata must not contradict it.',
  ),
  'forms-sign-in': story(
    'The gateway no longer asks where an unsafe request comes from.',
    'The attacker’s page posts a form to the shop: sign in, sign out, sign up, begin a guest session.',
    'The form got past the rule for other sites. Only the next check was left to stop it.',
    'A form from another page brings a foreign origin. The gateway refuses it before it reads the body.',
  ),
  'scripts-read-the-cookie': story(
    'The session cookie is no longer HttpOnly.',
    'A script in the page reads document.cookie, as an injected script would.',
    'The script saw the session cookie, and could send it away.',
    'HttpOnly hides the cookie from every script. The prefix __Host- keeps sibling hosts from setting it.',
  ),
  'the-last-cookie-wins': story(
    'Where two cookies could be the session, the gateway takes the last one.',
    'The attacker plants a second cookie of the same name beside the person’s own.',
    'The gateway chose one of them, and answered.',
    'Two cookies that could both be the session are refused as ambiguous_cookies. A gateway never guesses who somebody is.',
  ),
  'answers-for-every-origin': story(
    'Every answer may be read by every origin (access-control-allow-origin: *).',
    'The attacker’s page fetches the person’s session, also from a sandboxed frame.',
    'The answer allowed every origin to read it. Only the browser’s rule about cookies was left.',
    'The shop sends no such header. Its own pages are of its own origin, and need none.',
  ),
  'pages-may-be-framed': story(
    'The shop may be shown inside a frame of another page.',
    'The attacker’s page frames the shop, to lay buttons of its own over it (clickjacking).',
    'The shop was drawn inside the attacker’s page.',
    'frame-ancestors and X-Frame-Options forbid it: the browser shows an error instead of the shop.',
  ),
  'signing-out-ends-nothing': story(
    'A sign-out answers "done", and ends nothing.',
    'The person signs out and leaves. Somebody else presses the back button.',
    'The page still belonged to the person.',
    'The sign-out ends the session at auth and clears the cookies, and the page drops its data.',
  ),
  'personal-answers-are-kept': story(
    'Shared caches may keep personal answers.',
    'A cache between browser and shop keeps the answer to one person, and gives it to the next.',
    'An answer that a cache may keep held a person’s data or cookie.',
    'Every answer says no-store, until a public route says otherwise.',
  ),
};

const store: Readonly<Record<string, Story>> = {
  'the-cache-forgets-whose': story(
    'A gateway’s identity cache is keyed by the service alone, not by the token.',
    'Eight people read their own data, while the session store falls silent and comes back.',
    'Somebody was served another person’s data.',
    'The key of an entry is the hash of the token and the service. No token finds the entry of another.',
  ),
  'epochs-never-end': story(
    'A person’s epoch is written to the session store without an end.',
    'Nobody attacks: sessions come and go, and the test then looks at every key of the store.',
    'A key without an end was left. Such a store grows for ever.',
    'Every key of the session store expires.',
  ),
  'the-store-knows-the-secret': story(
    'The session store holds the secrets of tokens instead of their hashes.',
    'The attacker has a copy of Redis, and looks for a value that opens a session.',
    'The secret of a live token lay in the store.',
    'The store holds only the SHA-256 of 256 random bits. No token can be made from it.',
  ),
  'unavailable-is-nobody': story(
    'A person whose session cannot be checked counts as nobody.',
    'The session store is paused, while people go on reading and writing.',
    'The shop answered as if the person had no session: signed out in silence.',
    '"I cannot tell" is an answer of its own, 503. A lost part never turns a person into a guest.',
  ),
  'signing-out-is-claimed': story(
    'The gateway confirms a sign-out that auth did not confirm.',
    'auth is paused. A person signs out and walks away.',
    'The shop said that the session was over. It was not.',
    'Only auth’s word confirms a sign-out. Without it the answer is 503, the cookie stays, and the person can repeat it.',
  ),
  'unknown-accounts-cost-nothing': story(
    'For an unknown account auth no longer computes a password hash.',
    'The attacker measures failed sign-ins, for addresses with and without an account.',
    'Unknown accounts were refused much sooner. The clock says who is a customer.',
    'auth verifies a hash in any case. Both refusals take equally long, and say the same words.',
  ),
  'dead-tokens-are-told-apart': story(
    'A token that was never issued gets another answer than a revoked one.',
    'The attacker shows tokens and compares the answers, to learn which of them were ever real.',
    'The answers differed.',
    'Unknown, revoked and expired look the same from outside (RFC 7662).',
  ),
  'devices-are-named-by-their-token': story(
    'The list of devices names the current session by its token.',
    'The attacker sees the list, by a script or on a screenshot, and sends a name back as a cookie.',
    'The list held a secret that opens the session.',
    'Sessions are listed by their handles. A handle is no secret, and no token can be made from it.',
  ),
};

export const stories: Readonly<Record<string, Story>> = {
  ...lifecycle,
  ...carried,
  ...accounts,
  ...forgery,
  ...mesh,
  ...edge,
  ...browser,
  ...store,
};
