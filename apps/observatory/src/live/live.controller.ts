import { Controller, Get, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Opens } from '../edge/key.guard.ts';
import { Refusal } from '../edge/refusal.ts';
import { LiveLines } from './live-lines.ts';

@Controller('api/live')
@Opens('page')
export class LiveController {
  constructor(private readonly lines: LiveLines) {}

  @Get()
  open(@Res() reply: FastifyReply): void {
    if (this.lines.full) throw new Refusal('too_many_requests', 'Too many pages are open. Close one.');
    const { raw } = reply;
    const headers = reply.getHeaders();
    reply.hijack();
    for (const [name, value] of Object.entries(headers)) if (value !== undefined) raw.setHeader(name, value);
    raw.writeHead(200, { 'content-type': 'application/x-ndjson; charset=utf-8' });
    raw.flushHeaders();
    this.lines.open(raw);
  }
}
