/** The tokens by which Nest injects, because an interface has no name at run time. */
export const guardToken = Symbol('GuardParts');
export const logToken = Symbol('Logger');
export const authToken = Symbol('AuthClient');
export const cartToken = Symbol('CartClient');
export const catalogToken = Symbol('CatalogClient');
export const limitsToken = Symbol('AddressLimits');
