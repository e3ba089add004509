import { type ArgumentsHost, Catch, type ExceptionFilter, Inject } from '@nestjs/common';
import type { Logger } from '@cloakroom/platform/process-life';
import type { FastifyReply } from 'fastify';
import { logToken } from '../injection.ts';
import { Refusal, refusalOf, sendRefusal } from './refusal.ts';

/** Every failure leaves the Observatory as problem+json: a refusal, an unreadable body, an unknown address, a surprise. */
@Catch()
export class RefusalFilter implements ExceptionFilter {
  constructor(@Inject(logToken) private readonly log: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const known = refusalOf(error);
    if (known === undefined) this.log.error({ err: error }, 'a request failed in a way that nobody expected');
    sendRefusal(host.switchToHttp().getResponse<FastifyReply>(), known ?? new Refusal('internal', "See the Observatory's log."));
  }
}
