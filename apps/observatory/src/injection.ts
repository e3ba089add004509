/** The tokens by which Nest injects, because an interface has no name at run time. */
export const configToken = Symbol('ObservatoryConfig');
export const logToken = Symbol('Logger');
export const clockToken = Symbol('Clock');
export const oceanToken = Symbol('OceanDoor');
