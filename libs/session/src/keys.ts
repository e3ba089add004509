/**
 * The key layout of the session store. All keys of one person carry the same hash tag `{tag}`, and so live in one slot of Redis Cluster. Each
 * operation is one Lua call or one MGET, and never needs two shards (docs/decisions/0002-one-slot-per-person.md).
 *
 * A script learns some names on the way (the subject of a record, the handle in an index). It makes those keys with the same shapes from the prefix
 * `{tag}:`. Scripts declare `#!lua`, so Redis refuses them a key of another slot.
 */

/** `{tag}:` is the beginning of all keys of one slot. */
export const slotPrefix = (tag: string): string => `{${tag}}:`;

/** `{tag}:s:<hash>` string: one session's record (session.redis.record.ts), named by the SHA-256 of its present token. TTL: the idle limit. */
export const sessionKey = (tag: string, hash: string): string => `${slotPrefix(tag)}s:${hash}`;

/** `{tag}:u:<subject>` string: the epoch and, for each live session, its handle and present hash. TTL: beyond the absolute limit. */
export const subjectKey = (tag: string, subject: string): string => `${slotPrefix(tag)}u:${subject}`;

/** `{tag}:t:<hash or handle>` string '1': that token or session is dead for good. TTL: until the session's absolute limit. */
export const tombstoneKey = (tag: string, name: string): string => `${slotPrefix(tag)}t:${name}`;
