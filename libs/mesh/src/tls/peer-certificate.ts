/**
 * The peer's certificate, read once a connection. grpc-js asks OpenSSL for it anew at each call, which was a tenth of auth's work for a call. But a
 * connection's certificate never changes: TLS 1.3 has no renegotiation, and no side asks for another certificate later.
 *
 * The cache key is the HTTP/2 session itself, never address and port: the next connection may get those, perhaps from another peer. grpc-js keeps the
 * session private, so this file looks where this version has it. Where it is not found, each call asks as before.
 */
import type { PeerCertificate } from 'node:tls';

/** The part of grpc-js' server call that this file needs. */
interface Call {
  getAuthContext(): { readonly sslPeerCertificate?: PeerCertificate };
}

const known = new WeakMap<object, PeerCertificate>();

export function peerCertificateOf(call: Call): PeerCertificate | undefined {
  const session = sessionOf(call);
  const remembered = session && known.get(session);
  if (remembered !== undefined) return remembered;
  const certificate = call.getAuthContext().sslPeerCertificate;
  // There is no certificate, or no verified one: nothing to remember.
  if (session !== undefined && certificate !== undefined) known.set(session, certificate);
  return certificate;
}

function sessionOf(call: Call): object | undefined {
  const inner = call as unknown as { readonly call?: { readonly stream?: { readonly session?: object } } };
  return inner.call?.stream?.session;
}
