/** The receiver of OTLP over HTTP. The services' exporters send here, each once a second at most. */
import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { Opens } from '../edge/key.guard.ts';
import { Refusal } from '../edge/refusal.ts';
import { parseOtlp } from '../request/parse-otlp.ts';
import { SpanStore } from './span-store.ts';

@Controller('v1/traces')
@Opens('spans')
export class SpansController {
  constructor(private readonly store: SpanStore) {}

  @Post()
  @HttpCode(200)
  take(@Body() body: unknown): object {
    if (typeof body !== 'object' || body === null || !('resourceSpans' in body))
      throw new Refusal('invalid_request', 'The body is no export of spans in JSON: it has no "resourceSpans".');
    this.store.add(parseOtlp(body));
    return {};
  }
}
