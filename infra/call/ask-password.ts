/** A password from the terminal without echo, or from standard input where that is no terminal. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';

const silent = () => new Writable({ write: (_chunk, _encoding, done) => done() });

export async function askPassword(question: string): Promise<string> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY) return (await text(stdin)).split('\n', 1)[0]!.trimEnd();
  stderr.write(question);
  // readline echoes what is typed to its output: it gets one that keeps nothing.
  const lines = createInterface({ input: stdin, output: silent(), terminal: true });
  try {
    return await lines.question('');
  } finally {
    lines.close();
    stderr.write('\n');
  }
}
