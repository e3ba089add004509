/** Fastify below Nest, with its limits. Nothing here is logged by request: the log of the Observatory must not become a copy of the shop. */
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyError, FastifyReply } from 'fastify';
import type { Logger } from '@cloakroom/platform/process-life';
import { Refusal, refusalOf, sendRefusal } from './refusal.ts';
import { securityHeaders } from './request-rules.ts';

/**
 * An export holds 512 spans at most (libs/platform telemetry.otlp.ts), of 1 to 3 kB each as JSON. Parsed, a body of nothing but empty objects takes 25
 * times its length: one of 4 MB filled the heap of this process.
 */
const bodyLengthMax = 2 * 1024 * 1024;
const headerLengthMax = 16 * 1024;
/** A client that sends its headers or body drop by drop holds only a socket, and not for long. */
const requestTimeoutMs = 10_000;
/** Above the length of every id in a path. */
const paramLengthMax = 128;

const noSchemas = (): never => {
  throw new Error('the Observatory reads bodies itself, and no route of it has a schema');
};

export class HttpAdapter extends FastifyAdapter {
  constructor(log: Logger) {
    super({
      skipMiddie: true,
      bodyLimit: bodyLengthMax,
      trustProxy: false,
      // A hook refuses a request without a Host as a problem.
      http: { maxHeaderSize: headerLengthMax, headersTimeout: requestTimeoutMs, requireHostHeader: false },
      requestTimeout: requestTimeoutMs,
      // A page that watches must not keep the process from ending.
      forceCloseConnections: true,
      logger: false,
      // No route has a schema of Fastify's, so its two compilers, 2 MB, are not loaded.
      schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
      routerOptions: { maxParamLength: paramLengthMax, ignoreTrailingSlash: false },
      frameworkErrors: (error: FastifyError, _request: unknown, reply: unknown) => {
        const answer = reply as FastifyReply;
        for (const [name, value] of securityHeaders) answer.header(name, value);
        const known = refusalOf(error);
        if (known === undefined) log.error({ err: error }, 'Fastify refused a request in a way that nobody expected');
        sendRefusal(answer, known ?? new Refusal('invalid_request', 'The address cannot be read.'));
      },
    });
  }
}
