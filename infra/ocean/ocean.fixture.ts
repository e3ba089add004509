/** Two servers, one in each region, an ocean between them, and clients that dial across. All sockets are real. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { RegionName } from '../stack/stack.ports.ts';
import { Ocean } from './ocean.ts';

export interface Client {
  readonly socket: Socket;
  say(text: string): void;
  /** Everything that was answered. */
  answers(): string;
  /** '' while it is open; else the code of the error, or `closed`. */
  ended(): string;
}

export interface Shores {
  readonly ocean: Ocean;
  /** All words that the server in this region has heard. */
  heard(region: RegionName): string;
  /** Dials from this region the server of the other one. */
  dial(from: RegionName): Promise<Client>;
  /** Bytes from here go straight to the server of a region. After an answer, all that was free to arrive there has arrived. */
  beside(region: RegionName): Promise<void>;
  /** The server of this region takes no more connections. */
  leave(region: RegionName): void;
  close(): Promise<void>;
}

export async function openShores(rttMs: number): Promise<Shores> {
  const heard = { eu: '', us: '' };
  const servers = { eu: await listen((text) => (heard.eu += text)), us: await listen((text) => (heard.us += text)) };
  const ocean = new Ocean(
    [
      { name: 'kafka', from: 'eu', to: 'us', listenPort: 0, targetPort: portOf(servers.us) },
      { name: 'kafka', from: 'us', to: 'eu', listenPort: 0, targetPort: portOf(servers.eu) },
    ],
    rttMs,
  );
  const [toUs, toEu] = await ocean.open();
  const clients: Socket[] = [];
  const dial = async (port: number): Promise<Client> => {
    const client = await enter(port);
    clients.push(client.socket);
    return client;
  };
  return {
    ocean,
    heard: (region) => heard[region].replaceAll('.', ''),
    dial: (from) => dial((from === 'eu' ? toUs : toEu)!),
    beside: async (region) => {
      const client = await dial(portOf(servers[region]));
      client.say('.');
      await once(client.socket, 'data');
    },
    leave: (region) => void servers[region].close(),
    close: async () => {
      for (const socket of clients) socket.destroy();
      await ocean.close();
      for (const server of Object.values(servers)) server.close();
    },
  };
}

/** Answers with what it hears. */
async function listen(hear: (text: string) => void): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      hear(bytes.toString());
      socket.write(bytes);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

async function enter(port: number): Promise<Client> {
  const socket = connect({ port, host: '127.0.0.1' });
  let answers = '';
  let end = '';
  socket.on('data', (bytes) => (answers += bytes.toString()));
  socket.on('error', (error: NodeJS.ErrnoException) => (end = error.code ?? 'error'));
  socket.on('close', () => (end ||= 'closed'));
  await once(socket, 'connect');
  return { socket, say: (text) => void socket.write(text), answers: () => answers, ended: () => end };
}
