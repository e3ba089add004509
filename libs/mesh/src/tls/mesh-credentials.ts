/**
 * The certificates that both ends of the mesh show and trust. A server takes new certificates for the next handshake and keeps its connections. A
 * client makes new connections (grpc-replicas.ts), since its old ones go on showing the old certificate.
 */
import { createSecureContext } from 'node:tls';
import { ChannelCredentials, experimental, ServerCredentials } from '@grpc/grpc-js';
import type { MeshTls } from './tls.ts';

export function clientCredentials(tls: MeshTls | undefined): ChannelCredentials {
  if (tls === undefined) return ChannelCredentials.createInsecure();
  const { ca, cert, key } = tls;
  return ChannelCredentials.createFromSecureContext(createSecureContext({ ca, cert, key, minVersion: 'TLSv1.3' }));
}

export function serverCredentials(tls: MeshTls | undefined): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure();
  if (tls.onChange === undefined) return ServerCredentials.createSsl(tls.ca, [{ private_key: tls.key, cert_chain: tls.cert }], true);
  const provider = new Provider(tls);
  return experimental.createCertificateProviderServerCredentials(provider, provider, true);
}

type Taken = Parameters<typeof experimental.createCertificateProviderServerCredentials>[0];
type AuthorityListener = Parameters<Taken['addCaCertificateListener']>[0];
type IdentityListener = Parameters<Taken['addIdentityCertificateListener']>[0];

/**
 * Has the shape that grpc-js expects. Its own FileWatcherCertificateProvider reads three files apart, and may take a certificate with another's key.
 */
class Provider implements Taken {
  private readonly tls: MeshTls;
  private readonly subscriptions = new Map<AuthorityListener | IdentityListener, () => void>();

  constructor(tls: MeshTls) {
    this.tls = tls;
  }

  addCaCertificateListener(listener: AuthorityListener): void {
    this.add(listener, () => listener({ caCertificate: this.tls.ca }));
  }
  addIdentityCertificateListener(listener: IdentityListener): void {
    this.add(listener, () => listener({ certificate: this.tls.cert, privateKey: this.tls.key }));
  }
  removeCaCertificateListener(listener: AuthorityListener): void {
    this.remove(listener);
  }
  removeIdentityCertificateListener(listener: IdentityListener): void {
    this.remove(listener);
  }

  private add(listener: AuthorityListener | IdentityListener, tell: () => void): void {
    this.subscriptions.set(listener, this.tls.onChange?.(tell) ?? (() => undefined));
    // Deferred: grpc-js adds its own listener after this one, and hears nothing without it.
    process.nextTick(tell);
  }
  private remove(listener: AuthorityListener | IdentityListener): void {
    this.subscriptions.get(listener)?.();
    this.subscriptions.delete(listener);
  }
}
