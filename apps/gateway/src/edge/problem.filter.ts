import { type ArgumentsHost, Catch, type ExceptionFilter, Inject } from '@nestjs/common';
import type { Logger } from '@cloakroom/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { logToken } from '../injection.ts';
import { answerFailure } from './problem-answer.ts';

/** Every failure leaves the gateway as problem+json: a refusal, an unreadable body, an unknown address, a surprise. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly log: Logger;

  constructor(@Inject(logToken) log: Logger) {
    this.log = log;
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    answerFailure(error, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>(), this.log);
  }
}
