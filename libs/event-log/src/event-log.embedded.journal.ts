/**
 * The file behind the embedded log: append-only, binary, one frame an entry: u32 length, u32 CRC-32 of the payload, payload.
 *
 * What survives what: an append is in the operating system's page cache before `append` returns, so a killed process loses nothing; the
 * disk is synced once a second and at close, so a power failure may lose the last second (a broker's acknowledgement with its default
 * settings promises no more on one machine). A frame torn by a crash is cut at the next open, with a warning, and kept beside the file.
 */
import {
  closeSync,
  fdatasync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import type { TopicSpec } from '@cloakroom/contracts';
import type { EventLogReporter, LogRecord, RecordHeaders } from './event-log.ts';

export type JournalEntry =
  | { readonly kind: 'topic'; readonly spec: TopicSpec }
  | { readonly kind: 'record'; readonly record: LogRecord }
  | {
      readonly kind: 'commit';
      readonly group: string;
      readonly topic: string;
      readonly partition: number;
      readonly offset: bigint;
      readonly atMs: number;
    }
  /** The partition begins here: what was before is past its retention. */
  | { readonly kind: 'start'; readonly topic: string; readonly partition: number; readonly offset: bigint };

/** How much a power failure may lose. */
const syncIntervalMs = 1_000;
/** Larger than any record (1 MB) by far; a larger length is garbage, not a frame. */
const frameBytesMax = 16 * 1024 * 1024;
const frameHeaderBytes = 8;

export interface Journal {
  /** @throws when the disk refuses; then nothing of the entries is in the file. */
  append(entries: readonly JournalEntry[]): void;
  close(): void;
}

/** @returns the entries in the file, oldest first, after cutting a torn tail */
export function readJournal(file: string, log: EventLogReporter): { readonly entries: JournalEntry[] } {
  const bytes = readFileOrNothing(file);
  const entries: JournalEntry[] = [];
  let at = 0;
  while (at + frameHeaderBytes <= bytes.length) {
    const length = bytes.readUInt32LE(at);
    const end = at + frameHeaderBytes + length;
    if (length > frameBytesMax || end > bytes.length) break;
    const payload = bytes.subarray(at + frameHeaderBytes, end);
    if (crc32(payload) !== bytes.readUInt32LE(at + 4)) break;
    entries.push(decode(payload));
    at = end;
  }
  if (at < bytes.length) {
    writeFileSync(`${file}.torn`, bytes.subarray(at));
    log.warn(
      { file, keptBytes: at, cutBytes: bytes.length - at },
      'the event log ended in a torn record; it was cut and kept in <file>.torn',
    );
    const fd = openSync(file, 'r+');
    ftruncateSync(fd, at);
    fsyncSync(fd);
    closeSync(fd);
  }
  return { entries };
}

/** Replaces the file in one step, so that a crash leaves the old or the new one. */
export function rewriteJournal(file: string, entries: Iterable<JournalEntry>): void {
  const next = `${file}.next`;
  const fd = openSync(next, 'w');
  for (const entry of entries) writeAll(fd, frame(encode(entry)));
  fsyncSync(fd);
  closeSync(fd);
  renameSync(next, file);
}

export function openJournal(file: string, log: EventLogReporter): Journal {
  mkdirSync(dirname(file), { recursive: true });
  const fd = openSync(file, 'a');
  let size = statSync(file).size;
  let unsynced = false;
  let closed = false;
  const timer = setInterval(() => {
    if (!unsynced) return;
    unsynced = false;
    fdatasync(fd, (error) => {
      if (error !== null && !closed) log.error({ file, err: error }, 'the event log could not be synced to disk');
    });
  }, syncIntervalMs);
  timer.unref();
  return {
    append(entries) {
      const bytes = Buffer.concat(entries.map((entry) => frame(encode(entry))));
      try {
        writeAll(fd, bytes);
      } catch (error) {
        ftruncateSync(fd, size);
        throw error;
      }
      size += bytes.length;
      unsynced = true;
    },
    close() {
      if (closed) return;
      closed = true;
      clearInterval(timer);
      fsyncSync(fd);
      closeSync(fd);
    },
  };
}

function readFileOrNothing(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
}

function frame(payload: Buffer): Buffer {
  const header = Buffer.alloc(frameHeaderBytes);
  header.writeUInt32LE(payload.length, 0);
  header.writeUInt32LE(crc32(payload), 4);
  return Buffer.concat([header, payload]);
}

const kinds = { topic: 1, record: 2, commit: 3, start: 4 } as const;

function encode(entry: JournalEntry): Buffer {
  switch (entry.kind) {
    case 'topic':
      return Buffer.concat([u8(kinds.topic), text(JSON.stringify(entry.spec))]);
    case 'start':
      return Buffer.concat([u8(kinds.start), text(entry.topic), u32(entry.partition), u64(entry.offset)]);
    case 'commit':
      return Buffer.concat([
        u8(kinds.commit),
        text(entry.group),
        text(entry.topic),
        u32(entry.partition),
        u64(entry.offset),
        u64(BigInt(Math.trunc(entry.atMs))),
      ]);
    case 'record': {
      const { topic, partition, offset, timestampMs, key, value, headers } = entry.record;
      const named = Object.entries(headers);
      return Buffer.concat([
        u8(kinds.record),
        text(topic),
        u32(partition),
        u64(offset),
        u64(BigInt(Math.trunc(timestampMs))),
        text(key),
        u8(value === null ? 0 : 1),
        block(value ?? Buffer.alloc(0)),
        u32(named.length),
        ...named.flatMap(([name, header]) => [text(name), block(header)]),
      ]);
    }
  }
}

function decode(payload: Buffer): JournalEntry {
  const read = reader(payload);
  const kind = read.u8();
  if (kind === kinds.topic) return { kind: 'topic', spec: JSON.parse(read.text()) as TopicSpec };
  if (kind === kinds.start) return { kind: 'start', topic: read.text(), partition: read.u32(), offset: read.u64() };
  if (kind === kinds.commit) {
    return { kind: 'commit', group: read.text(), topic: read.text(), partition: read.u32(), offset: read.u64(), atMs: Number(read.u64()) };
  }
  if (kind !== kinds.record) throw new Error(`the event log holds an entry of unknown kind ${kind}: it was written by a newer version`);
  const topic = read.text();
  const partition = read.u32();
  const offset = read.u64();
  const timestampMs = Number(read.u64());
  const key = read.text();
  const present = read.u8() === 1;
  const value = read.block();
  const headers: Record<string, Buffer> = {};
  for (let n = read.u32(); n > 0; n--) headers[read.text()] = read.block();
  return {
    kind: 'record',
    record: { topic, partition, offset, timestampMs, key, value: present ? value : null, headers: headers as RecordHeaders },
  };
}

const u8 = (value: number): Buffer => Buffer.from([value]);
function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}
const block = (bytes: Buffer): Buffer => Buffer.concat([u32(bytes.length), bytes]);
const text = (value: string): Buffer => block(Buffer.from(value));

function reader(bytes: Buffer) {
  let at = 0;
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw new Error('the event log holds an entry that ends early');
    at += length;
    return bytes.subarray(at - length, at);
  };
  const u32 = (): number => take(4).readUInt32LE();
  // Copied: a slice would keep the whole file in memory.
  const block = (): Buffer => Buffer.from(take(u32()));
  return { u8: () => take(1)[0]!, u32, u64: () => take(8).readBigUInt64LE(), block, text: () => block().toString() };
}
