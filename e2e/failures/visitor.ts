/**
 * A client with a browser's cookies and no other part of a browser. The caller says which gateway it asks and which cookies it leaves out.
 * It keeps every Set-Cookie for inspection.
 */
import { watchCrowd } from '@cloakroom/testing';
import { expect } from '@playwright/test';

export interface SetCookie {
  readonly name: string;
  /** '' where the cookie is cleared. */
  readonly value: string;
}

export interface Seen {
  readonly status: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- a test client reads any answer
  readonly body: any;
  readonly headers: Headers;
  readonly setCookies: readonly SetCookie[];
  /** The cookies that came with the request. */
  readonly sent: ReadonlyMap<string, string>;
  readonly tookMs: number;
  /** `graceMs`, stretched by how crowded the machine was meanwhile. */
  readonly graceMs: number;
}

export const sessionCookies: readonly string[] = ['__Host-session', '__Host-access', '__Host-refresh'];
/** The time that "nothing hangs" allows beyond a route's budget. */
const graceMs = 1_000;
/** The time beyond the budget after which an answer counts as hanging, on any machine. */
const neverMs = 30_000;

export class Visitor {
  readonly cookies = new Map<string, string>();
  private readonly leavesOut: readonly string[];

  /** @param leavesOut cookies that it holds and does not send */
  constructor(cookies: Iterable<readonly [string, string]> = [], leavesOut: readonly string[] = []) {
    for (const [name, value] of cookies) this.cookies.set(name, value);
    this.leavesOut = leavesOut;
  }

  /** @param request "GET /api/cart" */
  async call(gateway: string, request: string, budgetMs: number, body?: unknown, more: Record<string, string> = {}): Promise<Seen> {
    const [method, path] = request.split(' ') as [string, string];
    const sent = new Map(this.cookies);
    const [crowd, startedMs] = [watchCrowd(), performance.now()];
    const answer = await fetch(gateway + path, {
      method,
      // A late answer is seen to be late; an answer that never comes fails here.
      signal: AbortSignal.timeout(budgetMs + neverMs),
      headers: { ...this.headers(gateway, body !== undefined), ...more },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    const timing = { tookMs: performance.now() - startedMs, graceMs: crowd.roomMs(graceMs) };
    const setCookies = answer.headers.getSetCookie().map(parseSetCookie);
    for (const { name, value } of setCookies) this.cookies.set(name, value);
    return {
      status: answer.status,
      body: text === '' ? undefined : JSON.parse(text),
      headers: answer.headers,
      setCookies,
      sent,
      ...timing,
    };
  }

  /**
   * A request that must succeed while all is well. It is repeated while it is refused with 503 or late (504): a circuit
   * breaker may be closing, or the machine is busy.
   */
  async must(gateway: string, request: string, status: number, body?: unknown): Promise<Seen> {
    let seen: Seen | undefined;
    await expect(async () => {
      seen = await this.call(gateway, request, 5_000, body);
      expect(seen.status, `${request}: ${JSON.stringify(seen.body)}`).toBeLessThan(503);
    }).toPass({ timeout: 30_000, intervals: [100, 250, 500] });
    expect(seen!.status, `${request}: ${JSON.stringify(seen!.body)}`).toBe(status);
    return seen!;
  }

  async openStream(gateway: string, budgetMs: number): Promise<Stream> {
    const closing = new AbortController();
    const sent = new Map(this.cookies);
    const [crowd, startedMs] = [watchCrowd(), performance.now()];
    const late = setTimeout(() => closing.abort(), budgetMs + neverMs);
    const answer = await fetch(`${gateway}/api/events`, { headers: this.headers(gateway, false), signal: closing.signal });
    clearTimeout(late);
    const timing = { tookMs: performance.now() - startedMs, graceMs: crowd.roomMs(graceMs) };
    const setCookies = answer.headers.getSetCookie().map(parseSetCookie);
    for (const { name, value } of setCookies) this.cookies.set(name, value);
    const opened = answer.status === 200;
    const body: unknown = opened ? undefined : await answer.json();
    let isOpen = opened;
    const ended = opened ? drain(answer).finally(() => (isOpen = false)) : Promise.resolve();
    return {
      seen: { status: answer.status, body, headers: answer.headers, setCookies, sent, ...timing },
      isOpen: () => isOpen,
      ended,
      close: () => closing.abort(),
    };
  }

  copy(leavesOut: readonly string[] = []): Visitor {
    return new Visitor(this.cookies, leavesOut);
  }

  private headers(gateway: string, hasBody: boolean): Record<string, string> {
    const sent = [...this.cookies].filter(([name, value]) => value !== '' && !this.leavesOut.includes(name));
    return {
      origin: gateway,
      ...(sent.length > 0 && { cookie: sent.map(([name, value]) => `${name}=${value}`).join('; ') }),
      ...(hasBody && { 'content-type': 'application/json' }),
    };
  }
}

export interface Stream {
  readonly seen: Seen;
  isOpen(): boolean;
  readonly ended: Promise<void>;
  close(): void;
}

async function drain(answer: Response): Promise<void> {
  try {
    for await (const bytes of answer.body!) void bytes;
  } catch {
    // A stream that was cut off has ended too.
  }
}

function parseSetCookie(text: string): SetCookie {
  const [pair = ''] = text.split(';');
  const at = pair.indexOf('=');
  return { name: pair.slice(0, at), value: /max-age=0\b/i.test(text) ? '' : pair.slice(at + 1) };
}
