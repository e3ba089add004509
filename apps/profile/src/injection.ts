/** The tokens that Nest injects by. Interfaces have no name at run time. */
export const configToken = Symbol('ProfileConfig');
export const partsToken = Symbol('Parts');
export const databaseToken = Symbol('Database');
export const eventLogToken = Symbol('EventLog');
