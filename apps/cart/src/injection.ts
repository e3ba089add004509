/** The tokens by which Nest injects, because an interface has no name at run time. Such a token is a name, never a credential. */
export const configToken = Symbol('CartConfig');
export const viewToken = Symbol('CartView');
export const evolveToken = Symbol('Evolve');
export const cartToken = Symbol('CartParts');
export const followerToken = Symbol('LogFollower');
