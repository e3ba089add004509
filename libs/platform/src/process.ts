/** The life of a process: it starts, reports that it is ready, ends in order on a signal, and never outlives its parent. */
import { hostname } from 'node:os';
import { systemClock, type Clock } from './clock.ts';
import { ConfigError } from './config.ts';
import { type FaultsConfig, startFaults } from './faults.ts';
import { createLogger, type Logger } from './log.ts';
import { startTelemetry, type TelemetryConfig } from './trace.ts';

/** `runProcess` gives this to a start; the rest comes from its configuration. */
export interface ProcessParts {
  readonly log: Logger;
  readonly clock: Clock;
}

export interface Running {
  readonly name: string;
  /** The address on which it answers: http://host:port of a gateway, host:port of a gRPC service. */
  readonly url: string;
  stop(): Promise<void>;
}

/** A stop that takes longer has failed. The supervisor gives a child 10 s in all. */
const stopTimeoutMs = 8_000;
/** How soon an orphan notices that its supervisor is gone. */
const parentCheckIntervalMs = 1_000;

/**
 * Runs one service as this process; an app's main.ts is this one call.
 * @param readConfig reads process.env by default (the app's config.ts)
 * Exit codes: 0 stopped on request, 1 failed to start or crashed, 78 (EX_CONFIG of sysexits.h) bad configuration.
 */
export function runProcess<Config extends TelemetryConfig & FaultsConfig & { readonly LOG_LEVEL: string }>(
  name: string,
  readConfig: () => Config,
  start: (config: Config, parts: ProcessParts) => Promise<Running>,
): void {
  const config = configOrExit(name, readConfig);
  const log = createLogger(name, config.LOG_LEVEL);
  let running: Running | undefined;
  let stopTelemetry = (): Promise<void> => Promise.resolve();
  let stopFaults = (): void => undefined;
  let stopping = false;
  const stop = (reason: string, exitCode: number): void => {
    if (stopping) return;
    stopping = true;
    log.info({ reason }, 'stopping');
    setTimeout(() => {
      log.error('did not stop in time');
      process.exit(1);
    }, stopTimeoutMs).unref();
    stopFaults();
    Promise.resolve(running?.stop())
      // Stopped last, so that the spans of the stop itself are sent too.
      .then(() => stopTelemetry())
      .then(
        () => process.exit(exitCode),
        (error: unknown) => {
          log.error({ err: error }, 'failed to stop');
          process.exit(1);
        },
      );
  };
  process.on('SIGTERM', () => stop('SIGTERM', 0));
  process.on('SIGINT', () => stop('SIGINT', 0));
  // A surprise leaves unknown state behind, so the process ends and the supervisor starts a clean one.
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'uncaught exception');
    stop('uncaught exception', 1);
  });
  process.on('unhandledRejection', (error) => {
    log.fatal({ err: error }, 'unhandled rejection');
    stop('unhandled rejection', 1);
  });
  stopWhenOrphaned(() => stop('the parent process is gone', 0));
  const starting = async (): Promise<Running> => {
    stopTelemetry = await startTelemetry(name, config, log);
    stopFaults = startFaults(config, log);
    return start(config, { log, clock: systemClock });
  };
  starting().then(
    (started) => {
      running = started;
      if (stopping) void started.stop();
      log.info({ url: started.url, host: hostname(), pid: process.pid }, 'started');
    },
    (error: unknown) => {
      log.fatal({ err: error }, 'failed to start');
      process.exit(1);
    },
  );
}

function configOrExit<Config>(name: string, readConfig: () => Config): Config {
  try {
    return readConfig();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    createLogger(name, 'info').fatal(error.message);
    process.exit(78);
  }
}

/** A supervisor killed by SIGKILL cannot tell its children. So each child checks whether its parent is still the original one. */
function stopWhenOrphaned(onOrphaned: () => void): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) onOrphaned();
  }, parentCheckIntervalMs).unref();
}
