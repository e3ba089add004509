import { pino } from 'pino';

export type Logger = pino.Logger;

/** Fields that may carry a credential, wherever they stand in a logged object. A request or a response is never logged whole. */
const secretFields = [
  'token',
  'password',
  'passport',
  'subjectToken',
  'issuedToken',
  'cookie',
  'authorization',
  'currentToken',
  'secret',
  'privateKey',
  'set-cookie',
  'x-passport',
  'email',
];

/**
 * Structured lines on standard output.
 * @param destination for tests; standard output by default
 */
export function createLogger(name: string, level: string, destination?: pino.DestinationStream): Logger {
  const options: pino.LoggerOptions = {
    name,
    level,
    base: { service: name },
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: plainError },
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: secretFields.flatMap((field) => [quoted(field), `*${quoted(field)}`, `*.*${quoted(field)}`]), censor: '[redacted]' },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

/**
 * Logs only the fields of an error that say where it comes from. Other fields quote the input: ioredis adds the command with its arguments, a unique
 * violation of PostgreSQL the row's e-mail address.
 */
function plainError(error: unknown): unknown {
  if (!(error instanceof Error)) return typeof error === 'object' ? '[not an error]' : error;
  const { type, message, stack } = pino.stdSerializers.err(error);
  const { code } = error as { code?: unknown };
  return { type, message, stack, ...((typeof code === 'string' || typeof code === 'number') && { code }) };
}

const quoted = (field: string): string => `["${field}"]`;
