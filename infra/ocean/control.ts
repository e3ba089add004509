/** The door of the ocean on loopback. Any page in a browser can send a request there, so a command needs the key of the data folder. */
import { timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import { rttMaxMs, ways } from './ocean.types.ts';
import type { OceanCommand, OceanStatus } from './ocean.types.ts';

/** Far more than any command. */
const bodyBytesMax = 1_000;

export interface OceanDoor {
  readonly key: string;
  obey(command: OceanCommand): void;
  status(): OceanStatus;
}

export function openControl({ key, obey, status }: OceanDoor): Server {
  return createServer((request, response) => {
    const answer = (code: number, body: object): void => {
      response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    if (request.url === '/healthz') return answer(200, { ready: true });
    if (!holdsKey(request, key)) return answer(401, { detail: 'the key is missing or wrong' });
    if (request.method !== 'POST') return answer(200, status());
    void readCommand(request).then((command) => {
      if (command === undefined) return answer(400, { detail: 'this is no command of the ocean' });
      obey(command);
      answer(200, status());
    });
  });
}

function holdsKey({ headers }: IncomingMessage, key: string): boolean {
  const [given, wanted] = [Buffer.from(headers.authorization ?? ''), Buffer.from(`Bearer ${key}`)];
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

async function readCommand(request: IncomingMessage): Promise<OceanCommand | undefined> {
  try {
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) {
      text += String(chunk);
      if (text.length > bodyBytesMax) return undefined;
    }
    return asCommand(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** @returns undefined for everything that is no command */
export function asCommand(body: unknown): OceanCommand | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const { do: what, way, rttMs } = body as { do?: unknown; way?: unknown; rttMs?: unknown };
  if (what === 'heal') return { do: what };
  if (what === 'rtt')
    return typeof rttMs === 'number' && Number.isInteger(rttMs) && rttMs >= 0 && rttMs <= rttMaxMs ? { do: what, rttMs } : undefined;
  if (what !== 'cut' && what !== 'hold' && what !== 'refuse-dials') return undefined;
  const meant = ways.find((one) => one === way);
  return way === undefined ? { do: what } : meant && { do: what, way: meant };
}
