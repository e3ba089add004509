/** The server's check before a handler sees a call. It is passed in, because the mesh knows policies and certificates, and nothing of passports. */
import type { MethodPolicy, Problem } from '@cloakroom/contracts';
import type { VerifiedIdentity } from '../context.ts';
import type { CallMetadata } from '../metadata.ts';

export interface JudgedMethod {
  readonly policy: MethodPolicy;
  /** "cloakroom.cart.v1.CartService/GetCart" */
  readonly name: string;
}

export interface Caller {
  /** The service name in the caller's certificate. */
  readonly name: string | undefined;
  /** Whether there are certificates at all. Embedded mode has none. */
  readonly proven: boolean;
  /** The called service, as a label for metrics. */
  readonly audience: string;
}

export interface Admitted {
  readonly identity: VerifiedIdentity | undefined;
}

export interface Admission {
  /** Policy x certificate x passport. Metadata that is itself a Problem counts only once the caller may call at all. */
  admit(method: JudgedMethod, caller: Caller, sent: CallMetadata | Problem): Promise<Admitted | Problem>;
  /** Judges again what has changed since: for a stream that outlives the passport it was opened with. */
  standing(identity: VerifiedIdentity): Problem | undefined;
  /** @returns the function that unsubscribes */
  onRevocation(listener: () => void): () => void;
}
