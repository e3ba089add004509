/** Finds out whether a process answers. A probe asks as the clients ask, since an open port proves too little. */
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A loopback answer takes milliseconds. A stopped process must not delay the start. */
const probeTimeoutMs = 1_000;

export type ProbeResult = { readonly ok: true; readonly detail: string } | { readonly ok: false; readonly detail: string };
export type Probe = () => Promise<ProbeResult>;

export function httpProbe(url: string): Probe {
  return async () => {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(probeTimeoutMs) });
      const body = await response.text();
      return response.ok ? { ok: true, detail: body } : { ok: false, detail: `${url} answered ${response.status} ${body.slice(0, 200)}` };
    } catch (error) {
      return { ok: false, detail: `${url}: ${reason(error)}` };
    }
  };
}

export function redisProbe(port: number, host = '127.0.0.1'): Probe {
  return async () => {
    try {
      const answer = await exchange(host, port, Buffer.from('PING\r\n'), (bytes) => bytes.includes('\r\n'));
      const text = answer.toString('latin1').trim();
      // Redis answers -LOADING while it reads its file back.
      return text.startsWith('+PONG') ? { ok: true, detail: text } : { ok: false, detail: text };
    } catch (error) {
      return { ok: false, detail: reason(error) };
    }
  };
}

/** Begins a session as an unknown user. A server that asks for a password is up. A server that starts or stops answers 57P03. */
export function postgresProbe(port: number, host = '127.0.0.1'): Probe {
  return async () => {
    try {
      const text = Buffer.from('user\0probe\0database\0probe\0application_name\0cloakroom-probe\0\0');
      const startup = Buffer.alloc(8);
      startup.writeInt32BE(8 + text.length, 0);
      // Protocol 3.0 (PostgreSQL manual, "Message Formats": StartupMessage).
      startup.writeInt32BE(196_608, 4);
      const answer = await exchange(
        host,
        port,
        Buffer.concat([startup, text]),
        (bytes) => bytes.length >= 5 && bytes.length > bytes.readInt32BE(1),
      );
      const refusal = /\0M([^\0]*)/.exec(answer.toString('latin1'))?.[1] ?? 'no session';
      const accepts = answer[0] === 'R'.charCodeAt(0) || (answer[0] === 'E'.charCodeAt(0) && !answer.includes('57P03'));
      return accepts ? { ok: true, detail: 'accepts connections' } : { ok: false, detail: refusal };
    } catch (error) {
      return { ok: false, detail: reason(error) };
    }
  };
}

/** Asks for the cluster's metadata. A broker lists itself there once the controllers let it take part. */
export function kafkaProbe(port: number, host = '127.0.0.1'): Probe {
  return async () => {
    try {
      const answer = await exchange(host, port, metadataRequest(), isWholeFrame);
      const { brokers, clusterId } = readMetadata(answer);
      return brokers.includes(port) ? { ok: true, detail: clusterId } : { ok: false, detail: 'the broker has not registered yet' };
    } catch (error) {
      return { ok: false, detail: reason(error) };
    }
  };
}

/** Asks for the state of a group of workers or consumers. A group without a live member is not stable. */
export function kafkaGroupProbe(port: number, group: string, host = '127.0.0.1'): Probe {
  return async () => {
    try {
      const state = readGroupState(await exchange(host, port, groupRequest(group), isWholeFrame));
      return state === 'Stable' ? { ok: true, detail: state } : { ok: false, detail: `the group ${group} is ${state || 'unknown'}` };
    } catch (error) {
      return { ok: false, detail: reason(error) };
    }
  };
}

const isWholeFrame = (bytes: Buffer): boolean => bytes.length >= 4 && bytes.length >= 4 + bytes.readInt32BE(0);

/** DescribeGroups v0 for one group (Kafka protocol guide, "DescribeGroups API"), as client "cloakroom". */
function groupRequest(group: string): Buffer {
  const text = (value: string): Buffer => {
    const bytes = Buffer.from(value);
    const length = Buffer.alloc(2);
    length.writeInt16BE(bytes.length, 0);
    return Buffer.concat([length, bytes]);
  };
  const head = Buffer.alloc(12);
  head.writeInt16BE(15, 4);
  head.writeInt32BE(1, 8);
  const count = Buffer.alloc(4);
  count.writeInt32BE(1, 0);
  const request = Buffer.concat([head, text('cloakroom'), count, text(group)]);
  request.writeInt32BE(request.length - 4, 0);
  return request;
}

/** i32 size, i32 correlation id, i32 count, i16 error, string group, string state. */
function readGroupState(answer: Buffer): string {
  const groupLength = answer.readInt16BE(14);
  const at = 16 + groupLength;
  return answer.toString('utf8', at + 2, at + 2 + answer.readInt16BE(at));
}

/** Metadata v2 for no topic (Kafka protocol guide, "Metadata API"), as client "cloakroom". */
function metadataRequest(): Buffer {
  const client = Buffer.from('cloakroom');
  const body = Buffer.alloc(4 + 2 + 2 + 4 + 2 + client.length + 4);
  body.writeInt32BE(body.length - 4, 0);
  body.writeInt16BE(3, 4);
  body.writeInt16BE(2, 6);
  body.writeInt32BE(1, 8);
  body.writeInt16BE(client.length, 12);
  client.copy(body, 14);
  body.writeInt32BE(0, 14 + client.length);
  return body;
}

/** @returns the ports of the brokers that take part */
function readMetadata(answer: Buffer): { brokers: number[]; clusterId: string } {
  let at = 8;
  const text = () => {
    const length = answer.readInt16BE(at);
    at += 2 + Math.max(length, 0);
    return length < 0 ? '' : answer.toString('utf8', at - length, at);
  };
  const count = answer.readInt32BE(at);
  at += 4;
  const brokers: number[] = [];
  for (let index = 0; index < count; index++) {
    at += 4;
    text();
    brokers.push(answer.readInt32BE(at));
    at += 4;
    text();
  }
  return { brokers, clusterId: text() };
}

function exchange(host: string, port: number, request: Buffer, complete: (answer: Buffer) => boolean): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let answer: Buffer = Buffer.alloc(0);
    const socket = connect({ host, port }, () => socket.write(request));
    socket.setTimeout(probeTimeoutMs, () => socket.destroy(new Error('no answer')));
    socket.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk]);
      if (!complete(answer)) return;
      resolve(answer);
      socket.destroy();
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('connection closed')));
  });
}

export function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? error.cause : undefined;
  const code = (cause ?? error) as NodeJS.ErrnoException;
  return code.code ?? (cause ?? error).message;
}

/** Whether a process listens on the port. */
export function portTaken(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.setTimeout(probeTimeoutMs, () => socket.destroy());
    socket.once('connect', () => {
      resolve(true);
      socket.destroy();
    });
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}

export interface WaitOptions {
  readonly timeoutMs: number;
  /** Ends the wait early with its text: the process died, or the run was stopped. */
  readonly givesUp?: () => string | undefined;
}

/** Asks until the answer is yes. Returns the last no when the time is over. */
export async function waitFor(probe: Probe, { timeoutMs, givesUp }: WaitOptions): Promise<ProbeResult> {
  const until = performance.now() + timeoutMs;
  // Quick at first. Slower later, since a slow JVM should not be asked 20 times a second. The launcher notices a start late by half of the pause.
  let pauseMs = 25;
  for (;;) {
    const given = givesUp?.();
    if (given !== undefined) return { ok: false, detail: given };
    const result = await probe();
    if (result.ok || performance.now() > until) return result;
    await delay(pauseMs);
    pauseMs = Math.min(pauseMs * 1.5, 100);
  }
}
