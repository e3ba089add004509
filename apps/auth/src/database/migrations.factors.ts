import type { Kysely } from 'kysely';

/** An account's columns besides its name and password. */
export interface AccountColumns {
  /** 'admin', or '' for everyone else. */
  role: string;
  /** 1: the account is closed for sign-ins. */
  disabled: number;
  /**
   * Rises whenever this person's password, factors or access change. A sign-in that began under a lower version gets no session (still-proven.ts).
   */
  proof_version: number;
}

export interface FactorsSchema {
  /** The authenticator app with one-time codes, one a person. */
  totp: {
    subject: string;
    /** Sealed (sealed.ts), since checking a code needs the secret itself. */
    secret: string;
    /** 0 until auth has seen a first code. */
    active: number;
    /** The newest time step whose code counted; no code of it or before counts again (RFC 6238 5.2). */
    last_step: number;
    created_at_ms: number;
  };
  recovery_codes: {
    subject: string;
    code_hash: string;
  };
  passkeys: {
    passkey_id: string;
    subject: string;
    /** base64url, as the authenticator gave it. */
    credential_id: string;
    /** COSE key, base64url. */
    public_key: string;
    /** The last counter of the authenticator; 0 for one that counts nothing. */
    counter: number;
    /** 'singleDevice': the key cannot leave its authenticator. 'multiDevice': it is synchronised. */
    device_type: string;
    /** Comma separated hints for the browser. */
    transports: string;
    name: string;
    created_at_ms: number;
    /** 0: not used yet. */
    last_used_at_ms: number;
  };
  challenges: {
    id: string;
    kind: string;
    /** '' while the person is not known yet. */
    subject: string;
    /** The challenge for the authenticator to sign, base64url. */
    webauthn: string;
    /** The account's version when the password was proved. */
    proof_version: number;
    epoch: number;
    mode: string;
    attempts: number;
    expires_at_ms: number;
  };
}

export async function addFactors(db: Kysely<unknown>): Promise<void> {
  for (const [name, type, value] of [
    ['role', 'text', ''],
    ['disabled', 'integer', 0],
    ['proof_version', 'integer', 0],
  ] as const) {
    await db.schema
      .alterTable('accounts')
      .addColumn(name, type, (c) => c.notNull().defaultTo(value))
      .execute();
  }
  await db.schema
    .createTable('totp')
    .addColumn('subject', 'text', (c) => c.primaryKey())
    .addColumn('secret', 'text', (c) => c.notNull())
    .addColumn('active', 'integer', (c) => c.notNull())
    .addColumn('last_step', 'bigint', (c) => c.notNull())
    .addColumn('created_at_ms', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('recovery_codes')
    .addColumn('subject', 'text', (c) => c.notNull())
    .addColumn('code_hash', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('recovery_codes_key', ['subject', 'code_hash'])
    .execute();
  await addPasskeys(db);
}

async function addPasskeys(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('passkeys')
    .addColumn('passkey_id', 'text', (c) => c.primaryKey())
    .addColumn('subject', 'text', (c) => c.notNull())
    .addColumn('credential_id', 'text', (c) => c.notNull().unique())
    .addColumn('public_key', 'text', (c) => c.notNull())
    .addColumn('counter', 'bigint', (c) => c.notNull())
    .addColumn('device_type', 'text', (c) => c.notNull())
    .addColumn('transports', 'text', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('created_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('last_used_at_ms', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('passkeys_by_subject').on('passkeys').column('subject').execute();
  await db.schema
    .createTable('challenges')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('subject', 'text', (c) => c.notNull())
    .addColumn('webauthn', 'text', (c) => c.notNull())
    .addColumn('proof_version', 'integer', (c) => c.notNull())
    .addColumn('epoch', 'bigint', (c) => c.notNull())
    .addColumn('mode', 'text', (c) => c.notNull())
    .addColumn('attempts', 'integer', (c) => c.notNull())
    .addColumn('expires_at_ms', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('challenges_by_expiry').on('challenges').column('expires_at_ms').execute();
  await db.schema.createIndex('challenges_by_kind').on('challenges').columns(['kind', 'subject']).execute();
}
