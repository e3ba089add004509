export * from './context.ts';
export * from './deadline.ts';
export {
  type CallMetadata,
  developerSecret,
  formatTimings,
  guardMesh,
  parseTimings,
  readCallMetadata,
  resemblesCallMetadata,
  timingCountMax,
  writeCallMetadata,
} from './metadata.ts';
export * from './outcome.ts';
export * from './refusal.ts';
export { headerOf } from './shown-claims.ts';
export { claimsOf } from './server/observed-call.ts';
export { nameOf, policiesOf, policyOf, serviceNameOf } from './contract.ts';
export { connectMesh, type MeshClient, type MeshConnection } from './client/grpc-client.ts';
export { provesNothing } from './client/outgoing-call.ts';
export * from './client/retry-budget.ts';
export { implement, type Implementation, meshTransport, person, Rpc, type RpcMethod, type Rpcs } from './server/rpc.ts';
export { MeshTransport, type MeshTransportOptions } from './server/mesh-transport.ts';
export * from './server/serve-service.ts';
export type { Admission, Admitted, Caller, JudgedMethod } from './server/server-call.ts';
export * from './server/load-shedding.ts';
export * from './tls/tls.ts';
export * from './tls/tls.rotate.ts';
export * from './tls/tls.watch.ts';
