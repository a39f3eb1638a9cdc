/**
 * The interfaces between connectors and the rest: what a connector implements, its definition, the
 * fields of its blocks, and how it starts flows.
 *
 * May import base/, expression/, hcl/, transport/ and type/.
 */
export {
  type Appended,
  type Appending,
  type Backplane,
  type BackplaneCapabilities,
  type BackplaneContext,
  BackplaneError,
  type BackplaneHistory,
  type BackplaneListener,
  type BackplaneNeeds,
  type BackplaneType,
  type Entries,
  type Keep,
  type Position,
  type SharedKeys,
} from "./backplane.ts";
export type { ConnectorCluster, DedupeStore } from "./cluster.ts";
export type { Answers, Instances, InstancesHistory, InstancesListener } from "./instances.ts";
export {
  type Cancellable,
  type Client,
  type Connector,
  type ConnectorContext,
  type FilterRefusal,
  type FlowEvent,
  type FlowHandler,
  type HttpService,
  type Outcome,
  type Played,
  type Settlement,
  type StepResults,
  type Transaction,
  type WriteRequest,
} from "./connector.ts";
export type { Logger } from "./connector.ts";
export {
  type BlockProblem,
  type ConnectorDefinition,
  type ConnectorType,
  defineConnector,
  type Destination,
  type DestinationType,
  type FileDependency,
  type ListenerDemands,
  type SourceType,
  type Usage,
} from "./definition.ts";
export { accept, admit, dispatch, type Dispatched, type Ending } from "./dispatch.ts";
export { expression, expressionMap, expressions, target } from "./expression-fields.ts";
export {
  type About,
  type AboutBlock,
  attribute,
  block,
  blocks,
  type Field,
  type Fields,
  path,
  type ReadContext,
  required,
  type Values,
} from "./fields.ts";
export type { HonoApp } from "./connector.ts";
export type { RelayObserver, RequestObserver } from "./request-observer.ts";
export { isPlaced, placed } from "./placed.ts";
export type {
  FileProblem,
  InspectedUse,
  NamedField,
  ProbeRequest,
  ProbeSource,
  RequestProblem,
  TextFile,
  TextRange,
} from "./probe.ts";
export { lookups } from "./step-fields.ts";
export type { KnownValue, ValueKind } from "../base/known-value.ts";
export type { TraceFields } from "../base/trace-context.ts";
export type {
  DescribedRequest,
  EventDescription,
  SpanAttributes,
  SpanDescription,
  Telemetry,
} from "./telemetry.ts";
export {
  duration,
  flag,
  integer,
  oneOf,
  size,
  text,
  type ValueResult,
  type ValueSchema,
} from "./value-schema.ts";
