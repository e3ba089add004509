/** One run of the compiler over some projects and all that they are made of. A project with an error keeps the code that it had. */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { repository } from '../stack/folders.ts';

const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');

export interface Compiled {
  readonly ok: boolean;
  /** The errors, as the compiler says them. */
  readonly output: string;
}

export function compile(folders: readonly string[], signal: AbortSignal): Promise<Compiled> {
  const pretty = process.stdout.isTTY === true ? 'true' : 'false';
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [compiler, '-b', '--pretty', pretty, ...folders], { cwd: repository, signal });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.once('error', (error) => resolve({ ok: false, output: output + error.message }));
    child.once('close', (code) => resolve({ ok: code === 0, output }));
  });
}
