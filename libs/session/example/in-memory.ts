/** One session in this process, without a server: begun, found by its token, ended. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import * as session from '@cloakroom/session';

const [keys, nowMs] = [session.macKeys([randomBytes(32)]), Date.now()];
const store = new session.MemorySessionStore({ incarnation: 'demo' });
store.onIncarnationChange(async () => undefined);
const { token, key } = session.makeToken({ region: 'local', tag: '0abc', secret: randomBytes(32) }, keys);
const { events } = session.decide(session.noSession, { kind: 'startGuest', handle: 'h1', subject: 'g_1', atMs: nowMs });
const state = events.reduce(session.evolve, session.noSession) as session.LiveSession;
const made = session.newSession(state, { key, mode: 'hybrid', device: 'demo', region: 'local', globalEpoch: 0 });
await store.create(made, session.limits.sessionCountMax, nowMs);
const shown = session.parseToken(token, keys)!.key;
assert.equal((await store.resolve(shown, nowMs, undefined))?.subject, 'g_1');
await store.revoke({ tag: made.tag, name: made.handle, subject: made.subject, untilMs: made.expiresAtMs }, nowMs);
assert.equal(await store.resolve(shown, nowMs, undefined), undefined);
