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
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    if (known === undefined && isGone(error, reply)) return this.log.debug({ err: error }, 'a page left before its answer');
    if (known === undefined) this.log.error({ err: error }, 'a request failed in a way that nobody expected');
    sendRefusal(reply, known ?? new Refusal('internal', "See the Observatory's log."));
  }
}

/** The work for a page ends when it leaves, so that failure says nothing of the work. */
function isGone(error: unknown, { raw }: FastifyReply): boolean {
  return error instanceof Error && error.name === 'AbortError' && (raw.socket?.destroyed ?? true);
}
