import type { LoggerService } from '@nestjs/common';
import type { Logger } from '@cloakroom/platform/process-life';

/** Nest's own lines, in our log. An error that Nest also throws to us is known already. */
export const nestLogger = (log: Logger): LoggerService => ({
  log: () => undefined,
  warn: (message: unknown) => log.warn(String(message)),
  error: (thrown: unknown, ...rest: readonly unknown[]) => {
    if (!rest.includes('ExceptionHandler')) log.error({ err: thrown }, 'Nest reports an error');
  },
});
