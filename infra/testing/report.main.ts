/** The command of nx' task `suite`: succeeds where the suite has left a report (remembered.ts). */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

process.exitCode = existsSync(join(import.meta.dirname, '..', 'reports', 'suites', `${process.argv[2]}.json`)) ? 0 : 1;
