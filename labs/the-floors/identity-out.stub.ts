/** Everybody is one person, nobody is asked, and no passport goes to a service. */
import { create } from '@bufbuild/protobuf';
import { SessionState, SessionViewSchema, TokenMode } from '@cloakroom/contracts';
import type * as real from '../../apps/gateway/src/identity/identify-caller.ts';

export { identifyAgain, leave, readShown } from '../../apps/gateway/dist/identity/identify-caller.js';

const view = create(SessionViewSchema, { state: SessionState.USER, mode: TokenMode.HYBRID, subject: 'u_everybody', handle: 'everybody' });

export const identifyCaller = (() =>
  Promise.resolve({ view, passport: undefined, decision: 'hit' })) as unknown as typeof real.identifyCaller;
