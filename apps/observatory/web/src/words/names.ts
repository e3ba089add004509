/** A call is named by its service and method; the package before them is the same for all. */
export const hopName = (name: string): string => name.replace(/\bcloakroom\.\w+\.v\d+\./g, '');
