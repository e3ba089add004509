/** Which methods an address takes, from the list of routes (RFC 9110 10.2.1, Allow). */
import type { FastifyRequest } from 'fastify';
import type { Route } from '../route.ts';

/** No route and no page takes any other method. Fastify would ask for a body with some of those, and fail. */
const knownMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

type Methods = ReadonlySet<string>;

export class Addresses {
  /**
   * Paths without a parameter, and their methods. Such a path matches itself alone, though a pattern beside it would take its last word for
   * an id.
   */
  private readonly writtenOut: ReadonlyMap<string, Methods>;
  private readonly patterns: readonly { readonly pattern: RegExp; readonly route: Route }[];

  constructor(routes: readonly Route[]) {
    const byPath = [...Map.groupBy(routes, ({ path }) => path)];
    this.writtenOut = new Map(byPath.filter(([path]) => !path.includes('{')).map(([path, same]) => [path, methodsOf(same)]));
    this.patterns = routes.map((route) => ({ pattern: patternOf(route.path), route }));
  }

  /** False only where this very address is written out, and without that method. A pattern's methods are the router's to judge. */
  takesMethod(request: FastifyRequest): boolean {
    if (!knownMethods.has(request.method)) return false;
    // However the address is written: the router adds HEAD to every GET, and a live stream has none.
    if (request.method === 'HEAD' && request.exchange?.policy?.live === true) return false;
    return this.writtenOut.get(pathOf(request))?.has(request.method) !== false;
  }

  methodsAt(request: FastifyRequest): Methods {
    const path = pathOf(request);
    return this.writtenOut.get(path) ?? methodsOf(this.patterns.filter(({ pattern }) => pattern.test(path)).map(({ route }) => route));
  }
}

function methodsOf(routes: readonly Route[]): Methods {
  return new Set(routes.flatMap(({ method, live }) => (method === 'GET' && live !== true ? ['GET', 'HEAD'] : [method])));
}

const pathOf = (request: FastifyRequest): string => request.url.split('?', 1)[0]!;

const patternOf = (path: string): RegExp => new RegExp(`^${path.replaceAll('.', String.raw`\.`).replaceAll(/\{\w+\}/g, '[^/]+')}$`);
