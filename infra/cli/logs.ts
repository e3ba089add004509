/** Prints log files for people: one line per entry, with the name of its process. */
import { closeSync, openSync, readSync, statSync } from 'node:fs';

/** Time between looks at the files. Polling works on every file system, and a person does not notice a fifth of a second. */
const followIntervalMs = 200;
/** The most that is shown at once of a file that grew: more would scroll by unread. */
const readBytesMax = 256 * 1024;

export interface Followed {
  readonly name: string;
  readonly file: string;
}

/** Prints lines appended from now on, or from `tailBytes` before the end. @returns a function that stops it, after one last look */
export function followLogs(files: readonly Followed[], print: (line: string) => void, tailBytes = 0): () => void {
  const width = Math.max(...files.map(({ name }) => name.length));
  const readers = files.map(({ name, file }) => {
    const read = appendedTo(file, tailBytes);
    return () => {
      for (const line of read()) print(`${name.padEnd(width)} | ${prettyLine(line)}`);
    };
  });
  const look = () => readers.forEach((read) => read());
  const timer = setInterval(look, followIntervalMs);
  return () => {
    clearInterval(timer);
    look();
  };
}

function appendedTo(file: string, tailBytes: number): () => string[] {
  let at = Math.max(0, sizeOf(file) - tailBytes);
  let rest = '';
  return () => {
    const size = sizeOf(file);
    // Another run has begun the file anew.
    if (size < at) at = 0;
    if (size === at) return [];
    const from = Math.max(at, size - readBytesMax);
    at = size;
    const lines = (rest + readPart(file, from, size - from)).split('\n');
    rest = lines.pop() ?? '';
    return lines.filter((line) => line !== '');
  };
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

function readPart(file: string, from: number, length: number): string {
  const descriptor = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(length);
    return bytes.toString('utf8', 0, readSync(descriptor, bytes, 0, length, from));
  } finally {
    closeSync(descriptor);
  }
}

const levels: Record<number, string> = { 10: 'TRACE', 20: 'DEBUG', 30: 'INFO', 40: 'WARN', 50: 'ERROR', 60: 'FATAL' };
const unshown = new Set(['level', 'time', 'pid', 'hostname', 'name', 'service', 'msg', 'err', 'v']);

/** Turns a JSON entry of ours into text. A line of Redis or Kafka stays as it is. */
export function prettyLine(line: string): string {
  if (!line.startsWith('{')) return line;
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return line;
  }
  const time = new Date(entry['time'] as string | number);
  const clock = Number.isNaN(time.getTime()) ? '' : time.toISOString().slice(11, 23);
  const level = levels[entry['level'] as number] ?? text(entry['level']).toUpperCase();
  const fields = Object.entries(entry)
    .filter(([key]) => !unshown.has(key))
    .map(([key, value]) => `${key}=${text(value)}`);
  const error = entry['err'] as { stack?: string; message?: string } | undefined;
  return [clock, level.padEnd(5), text(entry['msg']), ...fields, error?.stack ?? error?.message ?? '']
    .filter((part) => part !== '')
    .join(' ');
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
