/** The tokens by which Nest injects, because an interface has no name at run time. Such a token is a name, never a credential. */
export const configToken = Symbol('ProfileConfig');
export const databaseToken = Symbol('Database');
export const identityEventsToken = Symbol('IdentityEvents');
export const forgettingToken = Symbol('Forgetting');
