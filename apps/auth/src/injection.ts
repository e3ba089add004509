/** Nest's injection tokens, since interfaces have no name at run time. */
export const configToken = Symbol('AuthConfig');
export const databaseToken = Symbol('Database');
export const redisToken = Symbol('Redis');
export const storeToken = Symbol('SessionStore');
export const outboxToken = Symbol('Outbox');
export const keysToken = Symbol('SigningKeys');
export const passwordsToken = Symbol('Passwords');
export const throttleToken = Symbol('Throttle');
export const abroadToken = Symbol('Abroad');
export const authToken = Symbol('Auth');
export const relayToken = Symbol('Relay');
export const housekeepingToken = Symbol('Housekeeping');
