import { type LinkedStack, observed } from '@cloakroom/contracts';
import type { StoredSpan } from '../span.ts';

/** Names the place on the map that made a span: `cart`, or with several replicas `gateway-1`. In embedded an app of the one process is a place. */
export function nameOnMap({ processes }: LinkedStack): (span: StoredSpan) => string {
  const places = new Set(processes.flatMap(({ name, apps }) => [name, ...apps]));
  return ({ attributes, service }) => {
    const app = String(attributes[observed.app] ?? service);
    const replica = attributes[observed.replica];
    const one = `${app}-${String(replica)}`;
    return places.has(one) ? one : app;
  };
}
