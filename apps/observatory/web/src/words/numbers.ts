/** Numbers as people read them. */

/** 0.42 ms, 4.2 ms, 42 ms, 1.25 s */
export function ms(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 1_000) return `${trim((value / 1_000).toFixed(size >= 10_000 ? 1 : 2))} s`;
  if (size >= 10) return `${Math.round(value).toLocaleString('en')} ms`;
  return `${trim(value.toFixed(size >= 1 ? 1 : 2))} ms`;
}

const trim = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);

/** Whole milliseconds, with thousands apart: of budgets. */
export const wholeMs = (value: number): string => `${Math.round(value).toLocaleString('en')} ms`;

export const percent = (part: number): string => `${part > 0 && part < 0.01 ? '< 1' : Math.round(part * 100)} %`;

export const megabytes = (bytes: number): string => `${Math.round(bytes / 1_000_000).toLocaleString('en')} MB`;

/** u_0199a…4c1e: enough to tell two apart. The whole stands in the title. */
export const shortId = (id: string): string => (id.length > 18 ? `${id.slice(0, 8)}…${id.slice(-4)}` : id);

export function clockTime(atMs: number): string {
  return new Date(atMs).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
}

/** 28 Nov 2026, 11:01 */
export const dateAndTime = (iso: string): string =>
  new Date(iso).toLocaleString('en-GB', { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' });
