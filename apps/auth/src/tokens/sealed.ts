/**
 * Seals values that auth keeps in its database and must read again: private signing keys and secrets of second factors. A stolen dump or backup of
 * the database alone signs nothing and proves nothing.
 *
 *   s1.<base64url of nonce (12) | ciphertext | tag (16)>      AES-256-GCM (NIST SP 800-38D), a random nonce a seal
 *
 * The seal authenticates its context, so a value that is moved to another row, or to another use, does not open. Random nonces of 96 bits are good
 * for 2^32 seals under one key (SP 800-38D 8.3). Auth makes a few thousand in its life.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

export interface Sealer {
  /** @param context names the value, such as `signing-key:<kid>`; `open` needs the same */
  seal(plain: string, context: string): string;
  /** @throws Error when no key opens it, it was changed, or it was sealed for another context. The message shows neither value nor context. */
  open(sealed: string, context: string): string;
  /** Whether the first key sealed it. If not, a key is being replaced and the value must be sealed again. */
  isCurrent(sealed: string, context: string): boolean;
}

const version = 's1.';
const nonceBytes = 12;
const tagBytes = 16;
const keyBytes = 32;
/** One key in use, one arriving, one leaving. Each key that does not fit costs a decryption. */
const keyCountMax = 3;

/**
 * @param text base64url of 32 bytes each; several, separated by commas, while a key is being replaced: the first seals, all open
 * @throws RangeError when a key is too short or too long, or there are too many. The message never shows a key.
 */
export function openSealer(text: string): Sealer {
  const keys = text.split(',').map((part) => Buffer.from(part.trim(), 'base64url'));
  if (keys.some((key) => key.length !== keyBytes)) throw new RangeError(`must be base64url of ${keyBytes} bytes`);
  if (keys.length > keyCountMax) throw new RangeError(`${keyCountMax} keys at most`);
  return {
    seal: (plain, context) => version + encrypt(keys[0]!, plain, context).toString('base64url'),
    open: (sealed, context) => {
      for (const key of keys) {
        const plain = decrypt(key, sealed, context);
        if (plain !== undefined) return plain;
      }
      throw new Error('no KEY_ENCRYPTION_KEY opens what is sealed in the database');
    },
    isCurrent: (sealed, context) => decrypt(keys[0]!, sealed, context) !== undefined,
  };
}

function encrypt(key: Buffer, plain: string, context: string): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes }).setAAD(Buffer.from(context));
  return Buffer.concat([nonce, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
}

function decrypt(key: Buffer, sealed: string, context: string): string | undefined {
  if (!sealed.startsWith(version)) return undefined;
  const bytes = Buffer.from(sealed.slice(version.length), 'base64url');
  if (bytes.length < nonceBytes + tagBytes) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes });
  decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(-tagBytes));
  try {
    return decipher.update(bytes.subarray(nonceBytes, -tagBytes), undefined, 'utf8') + decipher.final('utf8');
  } catch {
    return undefined;
  }
}
