/** The tokens by which Nest injects, because an interface has no name at run time. Such a token is a name, never a credential. */
export const configToken = Symbol('CatalogConfig');
export const databaseToken = Symbol('Database');
export const productCacheToken = Symbol('ProductCache');
export const shareToken = Symbol('StockShare');
