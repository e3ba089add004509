/** Prints the programs of this machine that suites use, with what changes when one is replaced. nx takes it as an input of each suite. */
import { statSync } from 'node:fs';
import { arch, release } from 'node:os';
import { findChromium } from '../cli/chromium.ts';
import { findOnPath } from '../native/debian.ts';

const programs = [findChromium(), ...['java', 'redis-server', 'valkey-server', 'postgres', 'docker'].map(findOnPath)];
const found = programs.filter((path) => path !== undefined);
console.log([process.version, arch(), release()].join(' '));
for (const path of found) {
  const { size, mtimeMs } = statSync(path);
  console.log(path, size, mtimeMs);
}
