/** What tests and benchmarks may use: the start-the-stack harness. */
export { startStack } from './launch/harness.ts';
export type { RunningProcess, RunningStack, StackRequest } from './launch/harness.ts';
export { startDevServices } from './launch/dev-services.ts';
export { StackError } from './stack/outcome.ts';
/** Process ids and states of a running stack, for a process that did not start it. */
export { readState } from './supervisor/state.ts';
export type { ProcessEntry, StackState } from './supervisor/state.ts';
export type { ProcessName, Provider } from './stack/stack.ts';
export { portsOf, serviceNames, type ServiceName } from './stack/stack.ports.ts';
/** What docs/telemetry.md says of the metrics. */
export { readMetricTable } from './checks/metric-table.ts';
/** The browser of the tests. */
export { findChromium } from './cli/chromium.ts';
/** The shop in containers: its files, its keys, and where its pages are. */
export { composeFiles, composeKeys, composeProject, servicesOf } from './containers/compose-files.ts';
export type { Overlay } from './containers/compose-files.ts';
export { pageUrls } from './containers/observability.ts';
