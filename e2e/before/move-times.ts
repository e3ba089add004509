/** Data that was kept grows older than any shop that is stopped for an upgrade. So its times move, as if the shop had been stopped a moment ago. */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Every session would have ended by now. Redis' log of commands has each time alone in a value: 13 digits of milliseconds. */
export function moveSessions(dataDir: string, byMs: number): void {
  for (const file of globSync('redis-sessions/appendonlydir/*.incr.aof', { cwd: dataDir })) {
    const commands = readFileSync(join(dataDir, file), 'latin1');
    const moved = commands.replaceAll(/^\$13\r\n(1\d{12})\r$/gm, (_, ms: string) => `$13\r\n${Number(ms) + byMs}\r`);
    writeFileSync(join(dataDir, file), moved, 'latin1');
  }
}

/** The names of all columns with a moment in milliseconds end in `_ms`. Every revocation would be forgotten by now. */
export function moveRows(dataDir: string, byMs: number): void {
  for (const file of globSync('db/*.sqlite', { cwd: dataDir })) {
    const database = new DatabaseSync(join(dataDir, file));
    const columns = database
      .prepare(
        `SELECT tables.name AS of, columns.name AS name FROM sqlite_master AS tables, pragma_table_info(tables.name) AS columns
         WHERE tables.type = 'table' AND columns.name GLOB '*_ms'`,
      )
      .all();
    for (const { of, name } of columns) database.prepare(`UPDATE "${of}" SET "${name}" = "${name}" + ? WHERE "${name}" > 0`).run(byMs);
    database.close();
  }
}

/** Where a batch of records has its length and its times, in bytes. https://kafka.apache.org/documentation/#recordbatch */
const at = { length: 8, crc: 17, attributes: 21, firstMs: 27, lastMs: 35 } as const;
/** The length counts from here. */
const headBytes = 12;

/** Retention would take every event, here or in the copy of the other region. Each record's time is told from the first of its batch. */
export function moveEvents(dataDir: string, byMs: number): void {
  for (const file of globSync('kafka/log/[a-z]*/*.log', { cwd: dataDir })) {
    const log = readFileSync(join(dataDir, file));
    for (let start = 0; start < log.length;) {
      const batch = log.subarray(start, start + headBytes + log.readInt32BE(start + at.length));
      for (const place of [at.firstMs, at.lastMs]) batch.writeBigInt64BE(batch.readBigInt64BE(place) + BigInt(byMs), place);
      batch.writeUInt32BE(crc32c(batch.subarray(at.attributes)), at.crc);
      start += batch.length;
    }
    writeFileSync(join(dataDir, file), log);
  }
}

function crc32c(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}
