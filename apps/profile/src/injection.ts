/** The tokens that Nest injects by. Interfaces have no name at run time. */
export const configToken = Symbol('ProfileConfig');
export const databaseToken = Symbol('Database');
export const identityEventsToken = Symbol('IdentityEvents');
export const forgettingToken = Symbol('Forgetting');
