import { type LinkedStack, observed } from '@cloakroom/contracts';
import type { StoredSpan } from '../span.ts';

/**
 * Names the place on the map that made a span: `cart`, with several replicas `gateway-1`, with two regions `cart-eu`. In embedded an app of the one
 * process is a place.
 */
export function nameOnMap({ processes }: LinkedStack): (span: StoredSpan) => string {
  const places = new Set(processes.flatMap(({ name, apps }) => [name, ...apps]));
  return ({ attributes, service }) => {
    const app = String(attributes[observed.app] ?? service);
    const replica = attributes[observed.replica];
    const names = [inRegion(app, attributes), `${app}-${String(replica)}`];
    return names.find((name) => places.has(name)) ?? app;
  };
}

/** What a process in the region of a span is called: `kafka-eu`, and `kafka` where there is one region. */
export function inRegion(name: string, attributes: StoredSpan['attributes']): string {
  const region = attributes[observed.region];
  return region === undefined ? name : `${name}-${String(region)}`;
}
