/** The tokens that Nest injects by. Interfaces have no name at run time. */
export const configToken = Symbol('CatalogConfig');
export const databaseToken = Symbol('Database');
export const productCacheToken = Symbol('ProductCache');
