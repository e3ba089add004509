/**
 * The least work that puts a cart command into Kafka. One program runs twice: as the front (node:http, bare grpc-js over the mesh's
 * mutual TLS) and as the back (bare grpc-js, kafkajs). The record has as many bytes as a real one, and the answer as many as the
 * gateway's. Nothing is checked, and nothing is read back.
 *
 * The back sends as the shop does: one request in flight for all waiting commands. This is the fastest way known here. With
 * SEND=single each command is a separate request.
 */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { AddItemRequestSchema, CartService } from '@cloakroom/contracts';
import { ChannelCredentials, Client, Server, ServerCredentials } from '@grpc/grpc-js';
import kafkajs, { type Message } from 'kafkajs';

const { LISTEN_PORT, BACK_PORT, TLS_DIR = '', ANSWER = '{}', RECORD = '{}', KAFKA_BROKER = '', TOPIC = '', SEND } = process.env;
const read = (file: string): Buffer => readFileSync(join(TLS_DIR, file));
const asIs = (bytes: Buffer): Buffer => bytes;
const path = `/${CartService.typeName}/AddItem`;

if (BACK_PORT === undefined) await back(Number(LISTEN_PORT));
else front(Number(LISTEN_PORT), Number(BACK_PORT));
process.on('SIGTERM', () => process.exit(0));

interface WholeAnswer {
  readonly headers: Record<string, string | string[]>;
  readonly body: string;
}

function front(port: number, backPort: number): void {
  const { headers, body } = JSON.parse(ANSWER) as WholeAnswer;
  const credentials = ChannelCredentials.createFromSecureContext(
    createSecureContext({ ca: read('ca.pem'), cert: read('gateway.pem'), key: read('gateway.key'), minVersion: 'TLSv1.3' }),
  );
  const options = { 'grpc.ssl_target_name_override': 'cart', 'grpc.service_config_disable_resolution': 1 };
  const client = new Client(`localhost:${backPort}`, credentials, options);
  const call = (request: Buffer): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest(path, asIs, asIs, request, (error, answer) => (error === null ? resolve(answer!) : reject(error)));
    });
  createServer({ keepAliveTimeout: 72_000 }, (request, response) => {
    bodyOf(request)
      .then((text) => {
        const { commandId, productId, quantity } = JSON.parse(text) as { commandId: string; productId: string; quantity: number };
        return call(
          Buffer.from(toBinary(AddItemRequestSchema, create(AddItemRequestSchema, { commandId, productId, quantity, options: [] }))),
        );
      })
      .then(
        () => response.writeHead(202, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body),
        () => response.writeHead(503).end(),
      );
  }).listen(port, '127.0.0.1');
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

async function back(port: number): Promise<void> {
  const publish = await publisher();
  const server = new Server();
  const definition = {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  } as const;
  server.addService(
    { AddItem: definition },
    {
      AddItem: (call: { request: Buffer }, reply: (error: Error | null, answer?: Buffer) => void) => {
        const { commandId } = fromBinary(AddItemRequestSchema, call.request);
        publish(commandId).then(
          () => reply(null, call.request),
          (error: unknown) => reply(error instanceof Error ? error : new Error(String(error))),
        );
      },
    },
  );
  const pair = { private_key: read('cart.key'), cert_chain: read('cart.pem') };
  await new Promise<void>((resolve, reject) => {
    const credentials = ServerCredentials.createSsl(read('ca.pem'), [pair], true);
    server.bindAsync(`127.0.0.1:${port}`, credentials, (error) => (error === null ? resolve() : reject(error)));
  });
}

async function publisher(): Promise<(key: string) => Promise<void>> {
  const kafka = new kafkajs.Kafka({ clientId: 'floor', brokers: [KAFKA_BROKER], logLevel: kafkajs.logLevel.NOTHING });
  const createPartitioner = kafkajs.Partitioners.DefaultPartitioner;
  const producer = kafka.producer({ idempotent: SEND !== 'single', maxInFlightRequests: SEND === 'single' ? null! : 1, createPartitioner });
  await producer.connect();
  const { value, headers } = JSON.parse(RECORD) as { value: string; headers: Record<string, string> };
  const bytes = Buffer.from(value, 'base64');
  // A cart's id is two characters longer than the command's.
  const messageOf = (key: string): Message => ({ key: `g_${key}`, value: bytes, headers });
  if (SEND === 'single') return async (key) => void (await producer.send({ topic: TOPIC, acks: -1, messages: [messageOf(key)] }));
  return batched((messages) => producer.send({ topic: TOPIC, acks: -1, messages }), messageOf);
}

function batched(send: (messages: Message[]) => Promise<unknown>, messageOf: (key: string) => Message): (key: string) => Promise<void> {
  let waiting: { readonly message: Message; readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = [];
  let sending = false;
  const pump = async (): Promise<void> => {
    sending = true;
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        await send(batch.map(({ message }) => message));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    sending = false;
  };
  return (key) =>
    new Promise((resolve, reject) => {
      waiting.push({ message: messageOf(key), resolve, reject });
      if (!sending) void pump();
    });
}
