import type { RequestSummary } from '../../../src/api.ts';

/**
 * The request as a command. The Observatory holds no cookies and no bodies, so the command has places for them: `cookies.txt` is what a sign-in
 * with `curl -c cookies.txt` leaves, and the body is what the API page says.
 */
export function curlOf({ name, experiment }: Pick<RequestSummary, 'name' | 'experiment'>, gateway: string): string {
  const [method = 'GET', path = '/'] = name.split(' ');
  const parts = [`curl -i -b cookies.txt -c cookies.txt`];
  if (method !== 'GET') parts.push(`-X ${method} -H 'content-type: application/json' -H 'origin: ${quoted(gateway)}' -d '{}'`);
  if (experiment !== undefined) parts.push(`-H 'x-experiment-id: ${quoted(experiment)}'`);
  parts.push(`'${quoted(gateway + path)}'`);
  return parts.join(' ');
}

/** Between single quotes a shell takes everything but a single quote as it stands. */
const quoted = (text: string): string => text.replaceAll("'", `'\\''`);

/** A GET is repeated by opening it. A write needs its body, which nobody kept. */
export const mayRepeat = ({ name }: Pick<RequestSummary, 'name'>): boolean => name.startsWith('GET ') && !/[:{*]/.test(name);
