/** gRPC by hand over HTTP/2: a caller with any certificate, any metadata and any path. Our own libraries would not allow such a caller. */
import { readFileSync } from 'node:fs';
import { connect, constants, type ClientHttp2Session, type OutgoingHttpHeaders } from 'node:http2';
import { join } from 'node:path';
import { create, fromBinary, toBinary, type DescMessage, type MessageInitShape, type MessageShape } from '@bufbuild/protobuf';
import {
  AuthService,
  callMetadata,
  ListOrdersRequestSchema,
  OrdersService,
  ResolveRequestSchema,
  ResolveResponseSchema,
} from '@cloakroom/contracts';
import { portsOf, type ServiceName } from '@cloakroom/infra';
import { dataDir, e2eProvider, portBase } from './stack.ts';

const callTimeoutMs = 5_000;
/** A server that has not begun to speak TLS with us after this time never will. */
const silenceMs = 1_000;

export interface Caller {
  /**
   * Whose certificate from the stack's data folder is used; 'nobody' has none. In embedded all callers
   * except 'nobody' show the secret of this start.
   */
  readonly as: string;
  /** A certificate that somebody else made, instead of one of the stack. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

export interface MeshAnswer {
  /** 'ok', a code of the error table, `grpc <n>` where the server sent no code, or 'no connection'. */
  readonly code: string;
  readonly message: Buffer | undefined;
}

/** @param path as it stands on the wire, so that a test may misspell it */
export async function callMesh(options: {
  readonly service: ServiceName;
  readonly path: string;
  readonly caller?: Caller;
  readonly metadata?: OutgoingHttpHeaders;
  readonly message?: Uint8Array;
}): Promise<MeshAnswer> {
  const { service, path, caller = { as: 'gateway' }, metadata = {}, message = new Uint8Array() } = options;
  const session = open(service, caller);
  try {
    // The request is sent without waiting for the handshake. In TLS 1.3 a server judges the certificate
    // after the client thinks that it is connected.
    return await exchange(session, path, { ...secretOf(caller), ...metadata }, message, caller.as === 'nobody' ? silenceMs : callTimeoutMs);
  } finally {
    session.destroy();
  }
}

/** Many calls on one connection, as a gateway makes them. A handshake for each call would take most of the time. */
export function connectionTo(service: ServiceName) {
  const session = open(service, { as: 'gateway' });
  return {
    call: (path: string, metadata: OutgoingHttpHeaders) =>
      exchange(session, path, { ...secretOf({ as: 'gateway' }), ...metadata }, new Uint8Array(), callTimeoutMs),
    close: () => session.destroy(),
  };
}

function open(service: ServiceName, { as, tls }: Caller): ClientHttp2Session {
  const port = portsOf(portBase)[service].mesh;
  const dir = join(dataDir, 'tls');
  const read = (name: string): string => readFileSync(join(dir, name), 'utf8');
  const own = () => (as === 'nobody' ? {} : (tls ?? { cert: read(`${as}.pem`), key: read(`${as}.key`) }));
  const session =
    e2eProvider === 'embedded'
      ? connect(`http://127.0.0.1:${port}`)
      : connect(`https://127.0.0.1:${port}`, { ca: read('ca.pem'), servername: service, ...own() });
  // The stream of the call gets the error too, and reports it for both.
  session.on('error', () => undefined);
  return session;
}

/** Read at each call, because every start makes a new secret. */
function secretOf({ as }: Caller): OutgoingHttpHeaders {
  if (e2eProvider !== 'embedded' || as === 'nobody') return {};
  return { [callMetadata.meshSecret]: readFileSync(join(dataDir, 'mesh.secret'), 'utf8') };
}

function exchange(
  session: ClientHttp2Session,
  path: string,
  metadata: OutgoingHttpHeaders,
  message: Uint8Array,
  timeoutMs: number,
): Promise<MeshAnswer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const fields: Record<string, unknown> = {};
    const end = (): void => resolve({ code: codeOf(fields), message: messageOf(Buffer.concat(chunks)) });
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: path,
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-timeout': '4S',
      ...metadata,
    });
    stream.on('response', (headers) => Object.assign(fields, headers));
    stream.on('trailers', (headers) => Object.assign(fields, headers));
    stream.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      // A stream that stays open means that the server has admitted the call.
      if (fields['grpc-status'] === undefined && path.endsWith('/Watch')) {
        fields['grpc-status'] = '0';
        stream.close();
      }
    });
    const late = setTimeout(() => stream.destroy(), timeoutMs);
    stream.on('close', () => clearTimeout(late));
    stream.on('error', end);
    stream.on('close', end);
    const frame = Buffer.alloc(5 + message.length);
    frame.writeUInt32BE(message.length, 1);
    frame.set(message, 5);
    stream.end(frame);
  });
}

function codeOf(fields: Readonly<Record<string, unknown>>): string {
  if (Object.keys(fields).length === 0) return 'no connection';
  if (fields['grpc-status'] === '0') return 'ok';
  const problem = fields['x-problem-bin'];
  if (typeof problem === 'string') {
    const told = JSON.parse(Buffer.from(problem, 'base64').toString()) as { problem?: string };
    if (told.problem !== undefined) return told.problem;
  }
  const status = fields['grpc-status'];
  return `grpc ${typeof status === 'string' ? status : 'none'}`;
}

const messageOf = (bytes: Buffer): Buffer | undefined => (bytes.length < 5 ? undefined : bytes.subarray(5, 5 + bytes.readUInt32BE(1)));

export const encoded = <S extends DescMessage>(schema: S, message: MessageInitShape<S>): Uint8Array =>
  toBinary(schema, create(schema, message));
export const decoded = <S extends DescMessage>(schema: S, bytes: Uint8Array): MessageShape<S> => fromBinary(schema, bytes);

/** A real passport, as the gateway gets it: what a thief inside the mesh would hold. */
export async function passportFor(token: string, audience: string): Promise<string> {
  const answer = await callMesh({
    service: 'auth',
    path: `/${AuthService.typeName}/Resolve`,
    message: encoded(ResolveRequestSchema, { token, audience, touch: false }),
  });
  if (answer.code !== 'ok' || answer.message === undefined) throw new Error(`auth does not resolve: ${answer.code}`);
  const { passport } = decoded(ResolveResponseSchema, answer.message);
  if (passport === '') throw new Error('auth knows no such session');
  return passport;
}

export const cartPath = '/cloakroom.cart.v1.CartService/GetCart';
export const profilePath = '/cloakroom.profile.v1.ProfileService/GetProfile';

/** A read of each service that takes passports. The catalog takes none. */
const personalReads = {
  cart: { path: cartPath },
  profile: { path: profilePath },
  orders: { path: `/${OrdersService.typeName}/ListOrders`, message: encoded(ListOrdersRequestSchema, { page: 1, pageSize: 1 }) },
};

/** The answer of a service to this passport. */
export async function shownTo(service: keyof typeof personalReads, passport: string, metadata: OutgoingHttpHeaders = {}): Promise<string> {
  return (await callMesh({ service, ...personalReads[service], metadata: { 'x-passport': passport, ...metadata } })).code;
}
