/**
 * A route says with `@Opens('page')` or `@Opens('spans')` which key of this start opens it. A route that says nothing lets nobody in.
 *
 * The key comes as a bearer header. It is no cookie, because cookies ignore ports: every server on localhost would be handed it.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { type CanActivate, type ExecutionContext, Inject, Injectable, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { observatoryBearer } from '@cloakroom/platform/process-life';
import type { FastifyRequest } from 'fastify';
import type { ObservatoryConfig } from '../config.ts';
import { configToken } from '../injection.ts';
import { Refusal } from './refusal.ts';

type KeyName = 'page' | 'spans';
/** `anyone`: the answer says nothing but that the process lives. */
type Opener = KeyName | 'anyone';
const opensKey = 'observatory:key';

export const Opens = (key: Opener): ClassDecorator & MethodDecorator => SetMetadata(opensKey, key);

/** Compared as digests, so that neither length nor content shows in the time. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

@Injectable()
export class KeyGuard implements CanActivate {
  private readonly digests: Readonly<Record<KeyName, Buffer>>;

  constructor(
    private readonly reflector: Reflector,
    @Inject(configToken) config: ObservatoryConfig,
  ) {
    this.digests = { page: digest(config.OBSERVATORY_PAGE_KEY), spans: digest(observatoryBearer(config.OBSERVATORY_SPAN_KEY)) };
  }

  canActivate(context: ExecutionContext): true {
    const key = this.reflector.getAllAndOverride<Opener | undefined>(opensKey, [context.getHandler(), context.getClass()]);
    if (key === undefined) throw new Error('a route without a key lets nobody in');
    if (key === 'anyone') return true;
    const { authorization = '' } = context.switchToHttp().getRequest<FastifyRequest>().headers;
    if (this.opens(key, authorization)) return true;
    throw refusalOf(key);
  }

  /** Whether a request may use up a slot for its body: any key of this start will do here. */
  opensAny(authorization = ''): boolean {
    return this.opens('page', authorization) || this.opens('spans', authorization);
  }

  private opens(key: KeyName, authorization: string): boolean {
    const shown = /^Bearer ([A-Za-z0-9_-]+)$/i.exec(authorization)?.[1];
    return shown !== undefined && timingSafeEqual(digest(shown), this.digests[key]);
  }
}

export function refusalOf(key: KeyName): Refusal {
  return key === 'page'
    ? new Refusal(
        'key_required',
        'Open the address that npm start printed: it ends in #key=... The page then sends the key as "Authorization: Bearer <key>". It is new at each start.',
      )
    : new Refusal('span_key_required', 'The services are told it at their start. Start the shop again with npm start.');
}
