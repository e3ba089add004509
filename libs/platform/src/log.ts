import { pino } from 'pino';

export type Logger = pino.Logger;

/** Fields that may carry a credential, wherever they stand in a logged object. A request or a response is never logged whole. */
const secretFields = [
  'token',
  'password',
  'passport',
  'cookie',
  'authorization',
  'currentToken',
  'secret',
  'privateKey',
  'set-cookie',
  'x-passport',
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
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: secretFields.flatMap((field) => [quoted(field), `*${quoted(field)}`, `*.*${quoted(field)}`]), censor: '[redacted]' },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

const quoted = (field: string): string => `["${field}"]`;
