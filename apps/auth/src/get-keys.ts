import type { MessageInitShape } from '@bufbuild/protobuf';
import type { GetKeysResponseSchema } from '@cloakroom/contracts';
import type { Auth } from './auth.ts';

export const getKeys = (auth: Auth): MessageInitShape<typeof GetKeysResponseSchema> => ({ jwks: auth.keys.jwks() });
