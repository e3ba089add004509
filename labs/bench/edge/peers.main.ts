/**
 * One peer of the gateway (environment PEER), set up as its own documentation recommends for production, before the same backend. `POST
 * /login` begins a session. `GET /api/cart` needs a session and gives the same answer as the gateway.
 */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { DatabaseSync } from 'node:sqlite';
import fastifyCookie from '@fastify/cookie';
import fastifySession from '@fastify/session';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { fromNodeHeaders, toNodeHandler } from 'better-auth/node';
import { RedisStore } from 'connect-redis';
import express from 'express';
import expressSession from 'express-session';
import fastify from 'fastify';
import { createClient } from 'redis';
import { connectBare } from './bare-client.ts';

declare module 'express-session' {
  interface SessionData {
    userId: string;
  }
}
declare module 'fastify' {
  interface Session {
    userId: string;
  }
}

const port = Number(process.env['LISTEN_PORT']);
const peer = process.env['PEER'] ?? '';
const backend = await connectBare(process.env);
const redis = createClient({ url: process.env['SESSION_REDIS_URL']! });
redis.on('error', () => undefined);
await redis.connect();
const secret = randomBytes(32).toString('base64url');
/** The longest time that a session of ours may be idle. */
const lifeMs = 24 * 60 * 60_000;
const store = () => new RedisStore({ client: redis, prefix: `${peer}:` });

const peers: Readonly<Record<string, () => Promise<void>>> = {
  // connect-redis: resave false and saveUninitialized false. express: NODE_ENV=production, no x-powered-by.
  async express() {
    const app = express();
    app.disable('x-powered-by');
    const cookie = { httpOnly: true, sameSite: 'lax', secure: false, maxAge: lifeMs } as const;
    app.use(expressSession({ store: store(), secret, resave: false, saveUninitialized: false, cookie }));
    app.post('/login', (request, response) => {
      request.session.userId = randomBytes(16).toString('hex');
      response.sendStatus(200);
    });
    app.get('/api/cart', (request, response, next) => {
      if (request.session.userId === undefined) return void response.sendStatus(401);
      backend.cart().then((body) => response.type('application/json').send(body), next);
    });
    await new Promise<void>((resolve) => app.listen(port, '127.0.0.1', () => resolve()));
  },
  async fastify() {
    const app = fastify({ logger: false });
    await app.register(fastifyCookie);
    const cookie = { httpOnly: true, sameSite: 'lax', secure: false, maxAge: lifeMs } as const;
    await app.register(fastifySession, { store: store(), secret, saveUninitialized: false, cookie });
    app.post('/login', async (request) => {
      request.session.userId = randomBytes(16).toString('hex');
      return {};
    });
    app.get('/api/cart', async (request, reply) => {
      if (request.session.userId === undefined) return reply.code(401).send();
      return reply.header('content-type', 'application/json; charset=utf-8').send(await backend.cart());
    });
    await app.listen({ port, host: '127.0.0.1' });
  },
  'better-auth': () => serveBetterAuth(false),
  'better-auth, cookie cache': () => serveBetterAuth(true),
};

/**
 * Better Auth keeps sessions in Redis ("secondary storage") and people in a database. It is asked by
 * `auth.api.getSession`, as its guide for Node says.
 */
async function serveBetterAuth(cookieCache: boolean): Promise<void> {
  const auth = betterAuth({
    baseURL: `http://127.0.0.1:${port}`,
    secret,
    database: new DatabaseSync(':memory:'),
    emailAndPassword: { enabled: true },
    telemetry: { enabled: false },
    session: { cookieCache: { enabled: cookieCache, maxAge: 5 * 60 } },
    secondaryStorage: {
      get: (key) => redis.get(key),
      getAndDelete: (key) => redis.getDel(key),
      async set(key, value, ttl) {
        await (ttl === undefined ? redis.set(key, value) : redis.set(key, value, { expiration: { type: 'EX', value: ttl } }));
      },
      async delete(key) {
        await redis.del(key);
      },
      async increment(key, ttl) {
        const count = await redis.incr(key);
        if (count === 1) await redis.expire(key, ttl);
        return count;
      },
    },
  });
  await (await getMigrations(auth.options)).runMigrations();
  const api = toNodeHandler(auth);
  let people = 0;
  createServer((request, response) => {
    const fail = (): void => void response.writeHead(500).end();
    if (request.url === '/login') {
      const body = { name: 'Bench', email: `bench-${people++}@example.com`, password: 'correct horse battery staple' };
      auth.api.signUpEmail({ body, returnHeaders: true }).then(({ headers }) => {
        response.writeHead(200, { 'set-cookie': headers.getSetCookie() }).end();
      }, fail);
    } else if (request.url === '/api/cart') {
      auth.api
        .getSession({ headers: fromNodeHeaders(request.headers) })
        .then(async (session) => {
          if (session === null) return response.writeHead(401).end();
          const text = await backend.cart();
          const headers = { 'content-type': 'application/json; charset=utf-8', 'content-length': Buffer.byteLength(text) };
          return response.writeHead(200, headers).end(text);
        })
        .catch(fail);
    } else void api(request, response);
  }).listen(port, '127.0.0.1');
}

await peers[peer]!();
process.on('SIGTERM', () => process.exit(0));
