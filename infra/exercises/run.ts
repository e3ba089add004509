/** npm run exercise -- <name>: anti-patterns, labelled as such, off unless asked for. */
import { compareSticky, describeSticky } from './sticky.ts';

const [name] = process.argv.slice(2);
/** Some seconds on a laptop, and enough that chance does not decide. */
const people = 120;
if (name === 'sticky') process.stdout.write(`${describeSticky(await compareSticky(people))}\n`);
else {
  process.stderr.write('npm run exercise -- sticky   sessions in the memory of each replica, behind an affinity cookie: what that costs\n');
  process.exitCode = name === undefined || name === '--help' ? 0 : 1;
}
