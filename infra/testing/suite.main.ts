/**
 * Runs one whole suite of `npm test`. nx runs this as the target `suite`, and brings its output and its report back where the same tree has passed
 * it on this machine (remembered.ts).
 */
import { allPassed, writeReport } from './remembered.ts';
import { suiteNamed } from './test.suites.ts';
import { whenInterrupted } from './when-interrupted.ts';

// The suite's own calls of nx are no part of the one around it, which also asks for colours.
for (const name of Object.keys(process.env)) if (name.startsWith('NX_') || name === 'FORCE_COLOR') delete process.env[name];
const suite = suiteNamed(process.argv[2] ?? '');
const interrupted = whenInterrupted();
const began = performance.now();
const counts = await suite.run({ print: (line) => console.log(line), interrupted, onOutput: undefined });
writeReport(suite.name, { counts, seconds: (performance.now() - began) / 1000, endedAt: new Date().toISOString() });
// nx remembers a task that ended with 0.
process.exitCode = allPassed(counts) && !interrupted() ? 0 : 1;
