/**
 * A collector for tests. It takes OTLP over HTTP as JSON, on loopback, and appends each span as a line
 * to a file that any test process can read.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';

export interface ExportedSpan {
  readonly service: string;
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  readonly traceId: string;
  readonly spanId: string;
  /** '' where the span begins a trace. */
  readonly parentSpanId: string;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

/** Only the fields that we read: https://github.com/open-telemetry/opentelemetry-proto, JSON encoding. */
interface OtlpTraces {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly OtlpAttribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}

interface OtlpSpan {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly attributes?: readonly OtlpAttribute[];
}

interface OtlpAttribute {
  readonly key: string;
  readonly value: Readonly<Record<string, string | number | boolean>>;
}

const kinds = ['internal', 'internal', 'server', 'client', 'producer', 'consumer'] as const;

/**
 * @param key what a sender must show, as the Observatory asks for it; undefined: anybody may send
 * @returns the address to export to, without the path
 */
export async function openSpanSink(file: string, key?: string): Promise<{ readonly endpoint: string; close(): Promise<void> }> {
  rmSync(file, { force: true });
  mkdirSync(dirname(file), { recursive: true });
  const server = createServer((request, response) => {
    // A stand-in for the Observatory is asked for switches too, and has none.
    if (request.method !== 'POST') return void response.writeHead(404).end();
    if (key !== undefined && request.headers.authorization !== `Bearer ${key}`) return void response.writeHead(401).end();
    // Services ask an Observatory for its faults too, and this one has none.
    if (request.url !== '/v1/traces') return void response.writeHead(404).end();
    bodyOf(request)
      .then((body) => {
        appendFileSync(
          file,
          spansOf(JSON.parse(body) as OtlpTraces)
            .map((span) => `${JSON.stringify(span)}\n`)
            .join(''),
        );
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      })
      .catch((error: unknown) => response.writeHead(400).end(String(error)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function readSpans(file: string): ExportedSpan[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as ExportedSpan);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function spansOf({ resourceSpans }: OtlpTraces): ExportedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        service: String(attributesOf(resource.attributes)['service.name']),
        name: span.name,
        kind: kinds[span.kind] ?? 'internal',
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId ?? '',
        links: (span.links ?? []).map(({ traceId, spanId }) => ({ traceId, spanId })),
        attributes: attributesOf(span.attributes ?? []),
      })),
    ),
  );
}

const attributesOf = (attributes: readonly OtlpAttribute[]): Record<string, string | number | boolean> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0] ?? '']));
