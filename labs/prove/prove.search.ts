/**
 * Searches for an order of these commands in which a plain number ends as the line does. Every device, with all it had heard, must allow that order.
 */
import { userDeviceCount, type Act } from './prove.history.ts';

interface Searched {
  readonly what: Act;
  /** The commands that must come before it: those that its device had done and heard. A bit for each command. */
  readonly after: number;
}

export function isSomeOrderOf(steps: readonly Act[], line: number, quantity: number): boolean {
  const commands = commandsOf(steps);
  const all = 2 ** commands.length - 1;
  const dead = new Set<string>();
  const search = (done: number, number: number): boolean => {
    if (done === all) return number === quantity;
    const key = `${done} ${number}`;
    if (dead.has(key)) return false;
    for (const [index, { what, after }] of commands.entries()) {
      if ((done & (1 << index)) !== 0 || (after & ~done) !== 0) continue;
      if (search(done | (1 << index), afterOne(number, line, what))) return true;
    }
    dead.add(key);
    return false;
  };
  return search(0, 0);
}

function commandsOf(steps: readonly Act[]): Searched[] {
  const commands: Searched[] = [];
  const devices = Array.from({ length: userDeviceCount }, () => ({ heard: 0, known: 0 }));
  for (const what of steps) {
    if (what.do === 'join' || what.do === 'again') continue;
    const self = devices[what.device]!;
    if (what.do === 'hear') {
      const until = Math.min(self.heard + what.count, commands.length);
      for (let index = self.heard; index < until; index++) self.known |= 1 << index;
      self.heard = until;
      continue;
    }
    commands.push({ what, after: self.known });
    self.known |= 1 << (commands.length - 1);
  }
  return commands;
}

function afterOne(number: number, line: number, what: Act): number {
  if (what.do === 'clear') return 0;
  if (!('line' in what) || what.line !== line) return number;
  if (what.do === 'add') return number + what.quantity;
  return what.do === 'set' ? what.quantity : 0;
}
