/** Fastify below Nest: its limits, the answer of a use case in HTTP's words, and the answers of requests that are no HTTP at all. */
import type { Socket } from 'node:net';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { errorTable, type ErrorCode, isProblem, lineIdLengthMax, problem } from '@cloakroom/contracts';
import type { Logger } from '@cloakroom/platform';
import type { GatewayConfig } from '../config.ts';
import type { Answer, Outcome } from '../http-exchange.ts';
import { eventSocket } from './event-socket.ts';
import { answerFailure, problemAnswer, sendProblem } from './problem-answer.ts';
import { endSpan } from './request-scope.ts';
import { securityHeaders } from './security-headers.ts';

/** The largest body that a client has to send holds a cart's `seen` of 500 dots. */
const bodyLengthMax = 64 * 1024;
/** Our cookies need 200 bytes; other software on the host may add its own. */
const headerLengthMax = 16 * 1024;
/** A client that sends its headers or body drop by drop holds only a socket, and not for long. */
const headersTimeoutMs = 10_000;
const requestTimeoutMs = 20_000;
/** Above the idle time of browsers' and proxies' connections, so that they close first. */
const keepAliveTimeoutMs = 72_000;

export class HttpAdapter extends FastifyAdapter {
  constructor(config: Pick<GatewayConfig, 'TRUSTED_PROXIES'>, log: Logger) {
    super({
      // No Nest middleware here: without its dispatcher a request costs less.
      skipMiddie: true,
      bodyLimit: bodyLengthMax,
      // Anyone can write X-Forwarded-For. The gateway believes it only from a proxy that it knows.
      trustProxy: config.TRUSTED_PROXIES ?? false,
      // Node would refuse a request without a Host by an answer of its own, which is no problem+json. A hook refuses it instead.
      http: { maxHeaderSize: headerLengthMax, headersTimeout: headersTimeoutMs, requireHostHeader: false },
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: keepAliveTimeoutMs,
      // Live streams would keep close() waiting for ever. Before that, the gateway waits for the requests in flight.
      forceCloseConnections: true,
      // Our own hook says how long a request took; a request is never logged whole.
      logger: false,
      routerOptions: { maxParamLength: lineIdLengthMax, ignoreTrailingSlash: false },
      frameworkErrors: (error: FastifyError, request: unknown, reply: unknown) => {
        const answer = reply as FastifyReply;
        for (const [name, value] of Object.entries(securityHeaders(false))) answer.header(name, value);
        answerFailure(error, request as FastifyRequest, answer, log);
      },
      clientErrorHandler: answerBrokenRequest,
    });
  }

  /** Nest hands what a controller's method returned to its adapter. Here that is the outcome of a use case. */
  override reply(reply: FastifyReply, outcome: Outcome): FastifyReply {
    sendOutcome(reply, outcome);
    return reply;
  }
}

/** A Problem that is returned is answered as one that is thrown, and may carry the tokens of a session that has begun. */
export function sendOutcome(reply: FastifyReply, outcome: Outcome): void {
  const { exchange } = reply.request;
  if (exchange !== undefined) exchange.outcome = outcome;
  if (isProblem(outcome)) sendProblem(reply, outcome);
  else sendAnswer(reply, outcome);
}

function sendAnswer(reply: FastifyReply, answer: Answer): void {
  const token = answer.consistency ?? answer.reached;
  if (token !== undefined) reply.header('consistency-token', token);
  reply.code(answer.status);
  if (answer.headers !== undefined) reply.headers(answer.headers);
  if (answer.stream !== undefined) {
    // A span that ended with the stream would come hours late, or never.
    endSpan(reply.request.exchange?.span, reply);
    // The stream takes the connection over with the headers of this moment: onSend never comes.
    reply.finish();
    answer.stream(eventSocket(reply));
    return;
  }
  if (answer.body === undefined) return void reply.send();
  reply.header('content-type', answer.contentType ?? 'application/json; charset=utf-8');
  reply.send(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
}

/**
 * A request that Node's parser refused has no request object, so the answer is written by hand
 * (https://nodejs.org/api/http.html#event-clienterror).
 */
function answerBrokenRequest(error: { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const code: ErrorCode = error.code === 'HPE_HEADER_OVERFLOW' ? 'headers_too_large' : 'invalid_request';
  const { status, headers, body } = problemAnswer(problem(code));
  const lines = Object.entries({
    ...securityHeaders(false),
    ...headers,
    'content-length': String(body.length),
    connection: 'close',
  });
  socket.end(
    `HTTP/1.1 ${status} ${reasonOf(status)}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body.toString()}`,
  );
}

const reasonOf = (status: number): string =>
  status === errorTable.headers_too_large.http ? 'Request Header Fields Too Large' : 'Bad Request';
