/**
 * Reads the journal in which earlier builds kept the embedded log. It is a row of frames: u32 length, u32 CRC-32 of the payload, payload.
 * A payload begins with a byte for its kind. Text and bytes are led by a u32 length. All numbers are little-endian.
 */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { TopicSpec } from '@cloakroom/contracts';
import type { LogEntry } from './event-log.embedded.state.ts';
import type { EventLogReporter } from './event-log.ts';

const frameHeaderBytes = 8;
const kinds = { topic: 1, record: 2, commit: 3, start: 4 } as const;
/** Every SQLite file begins with this. */
const magic = 'SQLite format 3\0';

/** @throws when the file is neither a journal nor a database */
export function isJournal(file: string): boolean {
  const start = Buffer.alloc(magic.length);
  const fd = openSync(file, 'r');
  const length = readSync(fd, start);
  closeSync(fd);
  if (length === 0 || start.toString('latin1') === magic) return false;
  if (frameAt(readFileSync(file), 0) === undefined) throw new Error('it is neither a database nor the journal of an earlier build');
  return true;
}

export function* journalEntries(bytes: Buffer, log: EventLogReporter): Generator<LogEntry> {
  let at = 0;
  for (let payload = frameAt(bytes, at); payload !== undefined; payload = frameAt(bytes, at)) {
    yield entryOf(payload);
    at += frameHeaderBytes + payload.length;
  }
  if (at < bytes.length)
    log.warn({ cutBytes: bytes.length - at }, 'the event log of an earlier build ended in a torn record; it was left out');
}

/** undefined at the end, and where a crash tore the frame. */
function frameAt(bytes: Buffer, at: number): Buffer | undefined {
  if (at + frameHeaderBytes > bytes.length) return undefined;
  const payload = bytes.subarray(at + frameHeaderBytes, at + frameHeaderBytes + bytes.readUInt32LE(at));
  return payload.length === bytes.readUInt32LE(at) && crc32(payload) === bytes.readUInt32LE(at + 4) ? payload : undefined;
}

function entryOf(payload: Buffer): LogEntry {
  let at = 1;
  const u32 = (): number => payload.readUInt32LE((at += 4) - 4);
  const u64 = (): bigint => payload.readBigUInt64LE((at += 8) - 8);
  const block = (): Buffer => {
    const length = u32();
    return payload.subarray(at, (at += length));
  };
  const text = (): string => block().toString();
  const kind = payload[0];
  if (kind === kinds.topic) return { kind: 'topic', spec: JSON.parse(text()) as TopicSpec };
  if (kind === kinds.start) return { kind: 'start', topic: text(), partition: u32(), offset: u64() };
  if (kind === kinds.commit) return { kind: 'commit', group: text(), topic: text(), partition: u32(), offset: u64(), atMs: Number(u64()) };
  if (kind !== kinds.record) throw new Error(`it holds an entry of unknown kind ${kind}: a newer build wrote it`);
  const place = { topic: text(), partition: u32(), offset: u64(), timestampMs: Number(u64()), key: text() };
  const present = payload[at++] === 1;
  const value = block();
  const headers = Object.fromEntries(Array.from({ length: u32() }, () => [text(), block()]));
  return { kind: 'record', record: { ...place, value: present ? value : null, headers } };
}
