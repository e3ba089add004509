/**
 * An authenticator in software (WebAuthn level 3, 6): ES256, attestation "none", one discoverable credential. On request it also does things that no
 * honest one would: another origin, another host, no verification of the user, a counter that does not rise.
 */
import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';

export interface Behaviour {
  readonly origin?: string;
  readonly rpId?: string;
  readonly userVerified?: boolean;
  readonly challenge?: string;
  readonly crossOrigin?: boolean;
  /** The counter starts here; with 0 it stays at 0. */
  readonly counter?: number;
  readonly userHandle?: string;
}

interface Options {
  readonly challenge: string;
  readonly user?: { readonly id: string };
}

const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
const sha256 = (bytes: string | Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

export class SoftwareAuthenticator {
  readonly credentialId = randomBytes(16);
  readonly #keys: { readonly publicKey: KeyObject; readonly privateKey: KeyObject } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  #userHandle = '';
  #counter = 0;

  /** @param options PublicKeyCredentialCreationOptionsJSON. @returns RegistrationResponseJSON */
  create(options: string, behaviour: Behaviour = {}): string {
    const { challenge, user } = JSON.parse(options) as Options;
    this.#userHandle = user!.id;
    const credential = [Buffer.alloc(16), lengthOf(this.credentialId), this.credentialId, this.#coseKey()];
    const authData = Buffer.concat([this.#authData(behaviour, attested), ...credential]);
    const attestationObject = Buffer.concat([
      Buffer.from([0xa3]),
      cborText('fmt'),
      cborText('none'),
      cborText('attStmt'),
      Buffer.from([0xa0]),
      cborText('authData'),
      cborBytes(authData),
    ]);
    const clientDataJSON = clientData('webauthn.create', challenge, behaviour);
    return this.#respond({
      clientDataJSON: base64url(clientDataJSON),
      attestationObject: base64url(attestationObject),
      transports: ['internal'],
    });
  }

  /** @param options PublicKeyCredentialRequestOptionsJSON. @returns AuthenticationResponseJSON */
  get(options: string, behaviour: Behaviour = {}): string {
    const { challenge } = JSON.parse(options) as Options;
    const authenticatorData = this.#authData(behaviour, 0);
    const clientDataJSON = clientData('webauthn.get', challenge, behaviour);
    const signature = sign('sha256', Buffer.concat([authenticatorData, sha256(clientDataJSON)]), this.#keys.privateKey);
    return this.#respond({
      clientDataJSON: base64url(clientDataJSON),
      authenticatorData: base64url(authenticatorData),
      signature: base64url(signature),
      userHandle: behaviour.userHandle ?? this.#userHandle,
    });
  }

  #respond(response: object): string {
    const id = base64url(this.credentialId);
    return JSON.stringify({ id, rawId: id, type: 'public-key', clientExtensionResults: {}, response });
  }

  #authData({ rpId = 'localhost', userVerified = true, counter }: Behaviour, more: number): Buffer {
    this.#counter = counter ?? this.#counter + 1;
    const flags = present | (userVerified ? verified : 0) | more;
    const count = Buffer.alloc(4);
    count.writeUInt32BE(this.#counter);
    return Buffer.concat([sha256(rpId), Buffer.from([flags]), count]);
  }

  /** RFC 9053 7.1.1: kty EC2, alg ES256, crv P-256, x, y. */
  #coseKey(): Buffer {
    const { x, y } = this.#keys.publicKey.export({ format: 'jwk' });
    const head = Buffer.from([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01]);
    const coordinate = (label: number, text: string): Buffer[] => [Buffer.from([label]), cborBytes(Buffer.from(text, 'base64url'))];
    return Buffer.concat([head, ...coordinate(0x21, x!), ...coordinate(0x22, y!)]);
  }
}

const present = 0x01;
const verified = 0x04;
const attested = 0x40;

function clientData(type: string, challenge: string, behaviour: Behaviour): Buffer {
  const { origin = 'http://localhost:4000', crossOrigin = false } = behaviour;
  return Buffer.from(JSON.stringify({ type, challenge: behaviour.challenge ?? challenge, origin, crossOrigin }));
}

const lengthOf = (bytes: Uint8Array): Buffer => Buffer.from([bytes.length >> 8, bytes.length & 0xff]);
const cborText = (text: string): Buffer => Buffer.concat([Buffer.from([0x60 | text.length]), Buffer.from(text)]);
const cborBytes = (bytes: Uint8Array): Buffer =>
  Buffer.concat([bytes.length < 256 ? Buffer.from([0x58, bytes.length]) : Buffer.from([0x59, ...lengthOf(bytes)]), bytes]);
