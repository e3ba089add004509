/** A mistyped command line gets an error in words and the usage, never a stack trace. This holds for every command. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { repository } from '../stack/folders.ts';
import { logsCommand } from './start.ts';

const commandTimeoutMs = 60_000;

async function typed(...args: readonly string[]): Promise<{ code: number; output: string }> {
  const options = { cwd: repository, timeout: commandTimeoutMs, env: { ...process.env, NO_COLOR: '1' } };
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [join('infra', 'cli.ts'), ...args], options);
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: stdout + stderr };
  }
}

const stack = /^\s+at .*(?:\.[mc]?[jt]s|node:)/m;

/** Each command of cli.ts, up to its options. */
const commands = [
  ['start'],
  ['status'],
  ['help'],
  ['test'],
  ['check'],
  ['e2e'],
  ['bench'],
  ['bench', 'start'],
  ['mutants'],
  ['prove'],
  ['fuzz'],
  ['attacks'],
  ['lab', 'sticky'],
  ['drill', 'revoke-everything'],
  ['chaos'],
  ['fault', 'list'],
  ['fault', 'on', 'rpc-slow'],
  ['fault', 'off'],
  ['call', 'cart', 'GetCart'],
  ['load'],
  ['ocean', 'status'],
  ['revoke-everything'],
  ['keys', 'rotate'],
  ['certificates', 'rotate'],
  ['cart', 'history', 'u_1'],
  ['cart', 'redrive'],
  ['cart', 'replay'],
  ['admin', 'list'],
  ['doctor'],
] as const satisfies readonly (readonly string[])[];

it('names every command that there is', async () => {
  const { output } = await typed('--help');
  const told = [...output.matchAll(/^ {2}([a-z0-9-]+) /gm)].map((match) => match[1]!).filter((name) => !name.startsWith('-'));
  expect(new Set(commands.map(([name]) => name))).toEqual(new Set(told));
});

it.each(commands.map((command) => [command.join(' '), command] as const))(
  'an option that %s does not have is named, without a stack',
  { timeout: commandTimeoutMs },
  async (_name, command) => {
    const { code, output } = await typed(...command, '--no-such-option');
    expect(code).not.toBe(0);
    expect(output).toMatch(/unknown option|Unknown option/i);
    expect(output).toContain('--no-such-option');
    expect(output).not.toMatch(stack);
  },
);

it.each([
  [['chaos', '--minutes', 'soon'], /--minutes soon: a number from/],
  [['chaos', '--profile', 'cloud'], /--profile cloud: one of native, cluster/],
  [['chaos', '--faults', 'meteor'], /meteor/],
  [['attacks', '--provider', 'cloud'], /--provider cloud: one of native, embedded/],
  [['attacks', '--prove', '--only', 'everything'], /--only everything: one of [^]*signatures-are-not-verified[^]*npm run attacks/],
  [['attacks', '--prove', '--only'], /argument missing/],
  [['call', 'cart', 'GetCart', '--region', 'asia'], /--region asia: one of eu, us/],
  [['lab', 'wrong-carts', '--stay', 'perfect'], /--stay perfect: one of dots, lww/],
  [['lab', 'sticky', '--stay', 'shared'], /sticky has nothing that stays open/],
  [['lab', 'chess'], /lab chess: one of .*sticky/],
  [['lab', 'sticky', '--set', 'replicas=99'], /replicas is a number from 2 to 12/],
  [['lab', 'sticky', '--answer', '3'], /--answer goes with --exercise/],
  [['lab', 'sticky', 'twice'], /unexpected argument 'twice'/],
  [['prove', '--histories', 'many'], /whole numbers/],
  [['bench', 'start', '--runs', 'few'], /--runs few: a number/],
  [['bench', 'everything'], /no benchmark everything/],
  [['mutants', '--only', 'mutineer'], /--only mutineer: one of/],
  [['fuzz', '--inputs', '-1'], /--inputs/],
  [['fuzz', '--seed', 'x'], /--seed x: a whole number/],
  [['drill', 'fire'], /drill fire: one of revoke-everything/],
  [['drill', 'revoke-everything', '--sessions', 'all'], /--sessions all: a whole number/],
] as const)('%j says what is wrong, and how it is used', { timeout: commandTimeoutMs }, async (args, says) => {
  const { code, output } = await typed(...args);
  expect(code).not.toBe(0);
  expect(output).toMatch(says);
  expect(output).toContain(`npm run ${args[0]}`);
  expect(output).not.toMatch(stack);
});

describe('the hint of a start', () => {
  it.each([
    [{ infra: 'auto', portBase: 4000 }, 'npm start -- --logs'],
    [{ infra: 'embedded', portBase: 4500 }, 'npm start -- --infra embedded --port-base 4500 --logs'],
    [
      { infra: 'native', profile: 'cluster', portBase: 4000, database: 'postgres' },
      'npm start -- --infra native --profile cluster --database postgres --logs',
    ],
  ] as const)('after %j leads to that shop', (place, command) => expect(logsCommand(place)).toBe(command));
});
