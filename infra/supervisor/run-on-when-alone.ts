/**
 * Lets a paused process run on when its supervisor is gone. A process that is stopped acts on no signal but SIGKILL and SIGCONT, so it would keep
 * its ports for ever.
 */
import { spawn } from 'node:child_process';

/**
 * Starts a small watcher, whose input only this process holds open. When it closes, for whatever reason, the watcher lets the process group run on.
 * @param pid of the leader of a process group
 * @returns lets it run on now
 */
export function runOnWhenAlone(pid: number): () => void {
  const script = `cat > /dev/null; kill -s CONT -- -${pid}`;
  const watcher = spawn('/bin/sh', ['-c', script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  watcher.once('error', () => undefined);
  watcher.stdin.once('error', () => undefined);
  watcher.unref();
  return () => watcher.stdin.end();
}
