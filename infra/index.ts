/** What tests and benchmarks may use: the start-the-stack harness. */
export { startStack } from './harness.ts';
export type { RunningProcess, RunningStack, StackRequest } from './harness.ts';
export { startDevServices } from './dev-services.ts';
export { StackError } from './outcome.ts';
export type { ProcessName, Provider } from './stack.ts';
