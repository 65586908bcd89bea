/** Logs as JSON lines on standard output: one line for every decision, and nothing that must stay secret. */
import {
  type DestinationStream,
  destination,
  type Logger as Pino,
  pino,
  stdTimeFunctions,
} from 'pino';
import type { Logger } from '#ports/logger.ts';

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface LogOptions {
  readonly level: LogLevel;
  /** Default: standard output, written at once, so that the last words of a dying process are not lost. */
  readonly stream?: DestinationStream;
}

/**
 * Fields that hold credentials wherever they turn up: at the top, one level down, and in the headers of what
 * HTTP clients throw. A `key` is not among them: here it names a rollout.
 */
const SECRET_FIELDS = [
  'authorization',
  'Authorization',
  'password',
  'token',
  'bearerToken',
  'secret',
];
const REDACT = {
  paths: SECRET_FIELDS.flatMap((field) => [
    field,
    `*.${field}`,
    `headers.${field}`,
    `*.headers.${field}`,
  ]),
  censor: '***',
};

export function createLogger({ level, stream }: LogOptions): Logger {
  return wrap(
    pino(
      {
        level,
        redact: REDACT,
        timestamp: stdTimeFunctions.isoTime,
        // Pod and host are known to whatever collects the log.
        base: {},
        formatters: { level: (label) => ({ level: label }) },
      },
      stream ?? destination({ fd: 1, sync: true }),
    ),
  );
}

/** The port, and nothing of pino beyond it. */
function wrap(log: Pino): Logger {
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
    child: (fields) => wrap(log.child(fields)),
  };
}
