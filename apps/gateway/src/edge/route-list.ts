/**
 * The routes, read from the decorators of the controllers. The server's own rules (Allow, written-out addresses) and the OpenAPI document are
 * made from this list, so neither can say anything else than what is served.
 *
 * The schemas of the parameters stand in metadata inside Nest. `route-list.test.ts` holds this file to what Nest writes there.
 */
import { Injectable, RequestMethod, type Type } from '@nestjs/common';
import { CUSTOM_ROUTE_ARGS_METADATA, METHOD_METADATA, PATH_METADATA, ROUTE_ARGS_METADATA, RouteParamtypes } from '@nestjs/common/internal';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { FASTIFY_ROUTE_CONFIG_METADATA } from '@nestjs/platform-fastify/constants.js';
import type { FastifyContextConfig } from 'fastify';
import type { z } from 'zod';
import { methods, type Route } from '../route.ts';

@Injectable()
export class RouteList {
  private readonly discovery: DiscoveryService;
  private found: readonly Route[] | undefined;

  constructor(discovery: DiscoveryService) {
    this.discovery = discovery;
  }

  /** Every route, in the order of the modules and of the methods in their controllers. */
  get all(): readonly Route[] {
    return (this.found ??= routesOf(this.discovery.getControllers().map(({ metatype }) => metatype as Type)));
  }
}

/** @throws where a method that answers an address has no policy, or an input without a schema: nothing would check it */
export function routesOf(controllers: readonly Type[]): Route[] {
  return controllers.flatMap((controller) =>
    // As Nest does it, so that an inherited method is a route too.
    new MetadataScanner().getAllMethodNames(controller.prototype as object).flatMap((name) => routeOf(controller, name)),
  );
}

function routeOf(controller: Type, name: string): Route[] {
  const handler = (controller.prototype as Record<string, object>)[name]!;
  const verb = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod | undefined;
  if (verb === undefined) return [];
  const { policy } = (Reflect.getMetadata(FASTIFY_ROUTE_CONFIG_METADATA, handler) ?? {}) as FastifyContextConfig;
  const where = `${controller.name}.${name}`;
  if (policy === undefined) throw new Error(`${where} states no policy: nobody may call it`);
  const method = methods.find((each) => each === RequestMethod[verb]);
  if (method === undefined) throw new Error(`${where} answers a method that this gateway does not know`);
  return [{ ...policy, method, path: pathOf(controller, handler), ...schemasOf(controller, name) }];
}

function pathOf(controller: object, handler: object): string {
  const parts = [controller, handler].map((place) => Reflect.getMetadata(PATH_METADATA, place) as string);
  const path = parts.flatMap((part) => part.split('/')).filter((part) => part !== '');
  return `/${path.join('/')}`.replaceAll(/:(\w+)/g, '{$1}');
}

/** Among parameters of our own kind, InputHeaders alone takes a schema. */
const inputs: Readonly<Record<string, 'params' | 'query' | 'body'>> = {
  [RouteParamtypes.PARAM]: 'params',
  [RouteParamtypes.QUERY]: 'query',
  [RouteParamtypes.BODY]: 'body',
};

function schemasOf(controller: Type, name: string): Pick<Route, 'params' | 'query' | 'headers' | 'body'> {
  const parameters = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, name) ?? {}) as Record<
    string,
    { readonly schema?: z.ZodObject }
  >;
  for (const [key, { schema }] of Object.entries(parameters)) {
    const input = inputs[key.split(':', 1)[0]!];
    if (input !== undefined && schema === undefined) throw new Error(`${controller.name}.${name} takes its ${input} without a schema`);
  }
  return Object.fromEntries(
    Object.entries(parameters)
      .filter(([, { schema }]) => schema !== undefined)
      .map(([key, { schema }]) => [key.includes(CUSTOM_ROUTE_ARGS_METADATA) ? 'headers' : inputs[key.split(':', 1)[0]!]!, schema]),
  );
}
