import { observed, type SessionView, tokenModeNameOf } from '@cloakroom/contracts';
import type { Observed } from '@cloakroom/platform';

/** A session as the Observatory sees it: by its handle, never by its token. A cart's id is its owner's subject. */
export const sessionOf = (view: SessionView | undefined): Observed =>
  view === undefined
    ? {}
    : {
        [observed.subject]: view.subject,
        [observed.cartId]: view.subject,
        [observed.session]: view.handle,
        [observed.mode]: tokenModeNameOf[view.mode],
      };
