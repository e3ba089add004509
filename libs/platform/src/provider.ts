const localProviders: ReadonlySet<string> = new Set(['native', 'embedded']);

/** Whether the shop is a trial on one machine. Containers and clusters are not, whoever owns them. */
export const isLocalProvider = (provider: string): boolean => localProviders.has(provider);

/** REGION of a shop that has only one region. */
export const onlyRegion = 'local';
