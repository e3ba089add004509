/** The last lines that a process wrote. The supervisor keeps its log as a file. Each process takes secrets out before it writes a line. */
import { open } from 'node:fs/promises';
import type { LogLineView, LogView } from '../api.ts';

/** The most that is read of a file, however long it is. */
export const readBytesMax = 64 * 1024;
/** More than a person reads in a menu. */
export const lineCountMax = 100;
/** A stack trace is shorter. */
export const lineLengthMax = 2_000;

/**
 * @param file undefined where the process has written nothing yet
 * @param isShared several services write it, so each line says which
 */
export async function lastLogLines(file: string | undefined, isShared = false): Promise<LogView> {
  const { text, cut } = file === undefined ? { text: '', cut: false } : await endOf(file);
  const all = text.split('\n');
  // The first line may have lost its beginning.
  const lines = (cut ? all.slice(1) : all).filter((line) => line.trim() !== '');
  return { lines: lines.slice(-lineCountMax).map((line) => lineOf(line, isShared)), cut: cut || lines.length > lineCountMax };
}

async function endOf(file: string): Promise<{ readonly text: string; readonly cut: boolean }> {
  try {
    await using handle = await open(file, 'r');
    const { size } = await handle.stat();
    const length = Math.min(size, readBytesMax);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    return { text: buffer.toString('utf8', 0, bytesRead), cut: size > length };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { text: '', cut: false };
    throw error;
  }
}

/** Fields that the page shows by themselves, or that are the same in each line of the file. */
const shownElsewhere = new Set(['level', 'time', 'pid', 'hostname', 'name', 'msg', 'err']);

/** Ours are JSON. A line of Redis or Kafka stays as it is. */
function lineOf(line: string, isShared: boolean): LogLineView {
  const entry = entryIn(line);
  if (entry === undefined) return { atMs: undefined, level: undefined, text: line.slice(0, lineLengthMax) };
  const fields = Object.entries(entry).flatMap(([key, value]) =>
    shownElsewhere.has(key) || (key === 'service' && !isShared) ? [] : [`${key}=${textOf(value)}`],
  );
  const { stack, message } = (entry['err'] ?? {}) as { stack?: string; message?: string };
  const text = [textOf(entry['msg'] ?? ''), ...fields, stack ?? message ?? ''].filter((part) => part !== '').join(' ');
  const atMs = Date.parse(textOf(entry['time']));
  return {
    atMs: Number.isNaN(atMs) ? undefined : atMs,
    level: typeof entry['level'] === 'string' ? entry['level'] : undefined,
    text: text.slice(0, lineLengthMax),
  };
}

function entryIn(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));
