/** The parts for tests and benchmarks: the harness that starts the stack. */
export { startStack } from './launch/harness.ts';
export type { RunningProcess, RunningStack, StackRequest } from './launch/harness.ts';
export { startDevServices } from './launch/dev-services.ts';
export { StackError } from './stack/outcome.ts';
/** Process ids and states of a running stack, for a process that did not start it. */
export { endLeftovers, isAlive, readState } from './supervisor/state.ts';
export type { ProcessEntry, StackState } from './supervisor/state.ts';
export type { ProcessName, Provider } from './stack/stack.ts';
export { testBases } from './stack/test-bases.ts';
/** The ocean between two regions: where it is commanded, and its key. */
export { oceanKey } from './launch/secrets.ts';
export { oceanControlOf, portsOf, type RegionName, regionNames, serviceNames, type ServiceName } from './stack/stack.ports.ts';
/** Makes a shop of one region one of two. */
export { becomeRegion } from './launch/become-region.ts';
/** The table of metrics in docs/telemetry.md. */
export { readMetricTable } from './checks/metric-table.ts';
/** The browser of the tests. */
export { findChromium } from './cli/chromium.ts';
/** The shop in containers: its files, its keys, and the addresses of its pages. */
export { composeFiles, composeKeys, composeProject, servicesOf } from './containers/compose-files.ts';
export type { Overlay } from './containers/compose-files.ts';
export { pageUrls } from './containers/observability.ts';
