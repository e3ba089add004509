/**
 * The experiment of a request: a person who studies the shop on their own machine. By it a fault meets that person alone. A shop that is run for
 * others takes no experiment from outside, because it would be one more thing that a stranger may choose.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { callMetadata, experimentPattern, traineeCookie } from '@cloakroom/contracts';
import { isLocalProvider } from '@cloakroom/platform';
import type { GatewayConfig } from '../config.ts';

export const isLocal = ({ PROVIDER: provider }: Pick<GatewayConfig, 'PROVIDER'>): boolean => isLocalProvider(provider);

/** The header comes first: a command has no cookies, and a test may say another id than the browser's. */
export function experimentOf(headers: IncomingHttpHeaders): string | undefined {
  const sent = headers[callMetadata.experiment] ?? traineeOf(headers.cookie);
  return typeof sent === 'string' && experimentPattern.test(sent) ? sent : undefined;
}

const trainee = new RegExp(`(?:^|;)[ \\t]*${traineeCookie}=([^;]*)`);

/** Not one of our cookies (cookies.ts): it proves nothing, so two of one name are no reason to refuse. The first counts. */
function traineeOf(cookies: string | undefined): string | undefined {
  return cookies?.includes(traineeCookie) === true ? trainee.exec(cookies)?.[1] : undefined;
}
