/**
 * The certificate at the other end, read once a connection. grpc-js asks OpenSSL for it anew at each call, which was a tenth of what auth does for
 * one; but a connection's certificate never changes (TLS 1.3 has no renegotiation, and nobody asks for another one later).
 *
 * Remembered by the HTTP/2 session itself, never by address and port: those are given to the next connection, perhaps somebody else's. grpc-js
 * keeps the session to itself, so it is looked for where this version has it; where it is not found, each call asks as before.
 */
import type { PeerCertificate } from 'node:tls';

/** What is needed of grpc-js' server call. */
interface Call {
  getAuthContext(): { readonly sslPeerCertificate?: PeerCertificate };
}

const known = new WeakMap<object, PeerCertificate>();

export function peerCertificateOf(call: Call): PeerCertificate | undefined {
  const session = sessionOf(call);
  const remembered = session && known.get(session);
  if (remembered !== undefined) return remembered;
  const certificate = call.getAuthContext().sslPeerCertificate;
  // None, or none that was verified: nothing to remember.
  if (session !== undefined && certificate !== undefined) known.set(session, certificate);
  return certificate;
}

function sessionOf(call: Call): object | undefined {
  const inner = call as unknown as { readonly call?: { readonly stream?: { readonly session?: object } } };
  return inner.call?.stream?.session;
}
