/** Amounts are integers in minor units. Every currency of this shop has two decimals. */
export function formatPrice(minorUnits: number, currency: string, locale = 'en-IE'): string {
  return new Intl.NumberFormat(locale, { style: 'currency', currency }).format(minorUnits / 100);
}

export function formatTime(iso: string, locale?: string): string {
  const time = new Date(iso);
  return Number.isNaN(time.getTime()) ? '' : new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' }).format(time);
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** "Rain coat, M, navy" */
export function titleOf({ name, options }: { readonly name: string; readonly options: Readonly<Record<string, string>> }): string {
  return [name, ...Object.values(options)].join(', ');
}

/** The path to go to after a sign-in. It is a path of this site, so that a crafted link cannot send the person away. */
export function safeNext(next: string | null, fallback: string): string {
  if (next === null || !/^\/(?![/\\])/.test(next)) return fallback;
  const url = new URL(next, 'http://shop.invalid');
  // The parser drops "/.", and the rest may name another site.
  return url.origin === 'http://shop.invalid' && !url.pathname.startsWith('//') ? url.pathname + url.search : fallback;
}
