/**
 * A page tells when a click happened and when its answer was shown, so that the Observatory can show the browser's part of a request. The page
 * began the trace itself: it sent the same traceparent with its request.
 *
 * Anybody who reaches a shop could write such spans. So the route exists only on a person's own machine (PROVIDER embedded or native), and only
 * while an Observatory watches. Elsewhere it answers 404, like an address without a route.
 */
import { observed, problem } from '@cloakroom/contracts';
import { observing, parseTraceparent, startSpan, isLocalProvider } from '@cloakroom/platform';
import { z } from 'zod';
import { deviceLabel } from '../edge/device-label.ts';
import type { Gateway } from '../gateway.ts';
import type { Exchange, Outcome } from '../http-exchange.ts';

/** A page sends what one click caused: a request or two, and the pages that it opened. */
const spanCountMax = 20;
/** A page that waited longer for an answer has been left. */
const durationMaxMs = 120_000;
/** A page tells at once. The clocks are those of one machine, so a time further off is no time of a click here. */
const ageMaxMs = 10 * 60_000;
const aheadMaxMs = 5_000;

const pageSpan = z.object({
  name: z
    .string()
    .regex(/^[A-Za-z][A-Za-z -]{0,59}$/)
    .meta({ description: 'What the person did, without names or ids: "add to cart".' }),
  traceparent: z
    .string()
    .regex(/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/)
    .meta({ description: 'The one that the page sent with its request.' }),
  startedAtMs: z.number().min(0).meta({ description: 'Milliseconds since 1970.' }),
  durationMs: z.number().min(0).max(durationMaxMs),
});

export const pageSpansBody = z.object({ spans: z.array(pageSpan).min(1).max(spanCountMax) });

type Parts = Pick<Gateway, 'config' | 'clock'>;

export function takePageSpans(exchange: Exchange, { body }: { readonly body: z.output<typeof pageSpansBody> }, gateway: Parts): Outcome {
  if (!watched(gateway)) return problem('not_found');
  const nowMs = gateway.clock.nowMs();
  if (body.spans.some(({ startedAtMs }) => startedAtMs < nowMs - ageMaxMs || startedAtMs > nowMs + aheadMaxMs))
    return problem('invalid_request', 'A span began at a time that is far from now.');
  for (const { name, traceparent, startedAtMs, durationMs } of body.spans) {
    const page = parseTraceparent(traceparent);
    if (page === undefined) continue;
    const attributes = {
      [observed.app]: 'browser',
      [observed.browserSpan]: page.spanId,
      [observed.device]: deviceLabel(exchange.userAgent),
    };
    startSpan({ name: `page ${name}`, kind: 'client', parent: traceparent, attributes, startedAtMs })?.end(
      undefined,
      startedAtMs + durationMs,
    );
  }
  return { status: 204 };
}

const watched = ({ config }: Pick<Gateway, 'config'>): boolean => observing() && isLocalProvider(config.PROVIDER);
