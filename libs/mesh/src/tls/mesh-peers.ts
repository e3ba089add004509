/**
 * Identifies the peer of a connection at each call. TLS checks a certificate once, in the handshake, and a connection of the mesh lives for days.
 * Without this check an expired certificate, or one whose authority is no longer trusted, would stay good until its holder hangs up. So the server
 * remembers its verdict by the certificate's digest, and judges anew when time or trust has moved on.
 */
import { X509Certificate } from 'node:crypto';
import type { PeerCertificate } from 'node:tls';
import { LRUCache } from 'lru-cache';
import type { Clock } from '@cloakroom/platform';
import { callerOf, type MeshTls } from './tls.ts';
import { certificatesOf } from './tls.watch.ts';

/** Services times replicas times the sets in use during a rotation: there are tens. */
const peerCountMax = 1_000;

export interface Peers {
  /** The service that the certificate names. Undefined when it may not call, or no longer may. */
  callerOf(certificate: PeerCertificate | undefined): string | undefined;
  stop(): void;
}

export function openPeers(tls: MeshTls, clock: Clock): Peers {
  const judged = new LRUCache<string, { readonly name: string | undefined; readonly untilMs: number }>({ max: peerCountMax });
  let authorities = certificatesOf(tls.ca);
  const stop =
    tls.onChange?.(() => {
      authorities = certificatesOf(tls.ca);
      judged.clear();
    }) ?? (() => undefined);
  const judge = (peer: PeerCertificate) => {
    const certificate = new X509Certificate(peer.raw);
    const trusted = authorities.some((authority) => certificate.checkIssued(authority) && certificate.verify(authority.publicKey));
    return { name: trusted ? callerOf(peer) : undefined, untilMs: certificate.validToDate.getTime() };
  };
  return {
    callerOf(peer) {
      if (peer === undefined) return undefined;
      let known = judged.get(peer.fingerprint256);
      if (known === undefined) judged.set(peer.fingerprint256, (known = judge(peer)));
      return clock.nowMs() < known.untilMs ? known.name : undefined;
    },
    stop,
  };
}
