/** A Nest app with sessions on Redis: `POST /session` signs in, `GET /me` needs a session, `DELETE /session` ends it. */
import 'reflect-metadata';
import { randomBytes, randomUUID } from 'node:crypto';
import * as session from '@cloakroom/session';
import { Body, type CanActivate, Controller, Delete, type ExecutionContext, Get, Injectable, Module, Post } from '@nestjs/common';
import { type OnApplicationShutdown, Req, Res, UnauthorizedException, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Redis } from 'ioredis';

type Visit = { headers: { cookie?: string }; session: session.SessionRecord };
type Reply = { header(name: string, value: string): void };
// A Redis that hangs must become an error, and soon.
const redis = () => new Redis(process.env['REDIS_URL'] ?? '', { commandTimeout: 500, maxRetriesPerRequest: 1 });

@Injectable()
export class Sessions extends session.RedisSessionStore implements OnApplicationShutdown {
  readonly keys = session.readMacKeys(process.env['TOKEN_KEYS'] ?? '');
  readonly onApplicationShutdown = () => this.close();
  constructor() {
    super(redis());
  }

  /** @returns the token, for the cookie alone: Redis gets its hash */
  async begin(subject: string, nowMs: number): Promise<string> {
    const place = { region: 'local', tag: session.tagOf(subject) };
    const { token, key } = session.makeToken({ ...place, secret: randomBytes(session.secretBytes) }, this.keys);
    const { events } = session.decide(session.noSession, { kind: 'signIn', handle: randomUUID(), subject, atMs: nowMs });
    const state = events.reduce(session.evolve, session.noSession) as session.LiveSession;
    const made = session.newSession(state, { ...place, key, mode: 'reference', device: 'a browser', globalEpoch: 0 });
    await this.create(made, session.limits.sessionCountMax, nowMs);
    return token;
  }
}

@Injectable()
export class SessionGuard implements CanActivate {
  constructor(private readonly sessions: Sessions) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const visit = context.switchToHttp().getRequest<Visit>();
    const token = /__Host-session=([^;]+)/.exec(visit.headers.cookie ?? '')?.[1];
    const shown = session.parseToken(token, this.sessions.keys); // a forged token ends here, and asks Redis nothing
    const found = shown && (await this.sessions.resolve(shown.key, Date.now(), session.limits.user));
    if (found === undefined) throw new UnauthorizedException();
    visit.session = found;
    return true;
  }
}

@Controller()
export class VisitController {
  constructor(private readonly sessions: Sessions) {}

  @Post('session')
  async signIn(@Body('name') name: string, @Res({ passthrough: true }) reply: Reply) {
    const token = await this.sessions.begin(`u_${name}`, Date.now()); // your check of the password stands before this
    reply.header('set-cookie', `__Host-session=${token}; Path=/; Secure; HttpOnly; SameSite=Lax`);
  }

  @Get('me')
  @UseGuards(SessionGuard)
  me(@Req() { session: { subject } }: Visit) {
    return { subject };
  }

  @Delete('session')
  @UseGuards(SessionGuard)
  async signOut(@Req() { session: { tag, handle, subject, expiresAtMs } }: Visit) {
    await this.sessions.revoke({ tag, name: handle, subject, untilMs: expiresAtMs }, Date.now());
  }
}

@Module({ controllers: [VisitController], providers: [Sessions, SessionGuard] })
export class VisitModule {}

const app = await NestFactory.create(VisitModule, new FastifyAdapter(), { logger: ['error'] });
app.enableShutdownHooks();
await app.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1');
console.log(await app.getUrl());
