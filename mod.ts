/**
 * Weir, a declarative real-time server as a library. This module is the core, on web standards
 * alone; `@weir/runtime/deno`, `/bun` and `/node` add what a server of each runtime needs.
 *
 * @example Check a configuration, run it, and send to its clients
 * ```ts
 * import { createRuntime, loadConfig } from "@weir/runtime";
 *
 * const model = await loadConfig(`
 *   connector "ws" {
 *     type = "websocket"
 *     port = 3001
 *   }
 * `);
 * const runtime = await createRuntime(model);
 * await runtime.sendToRoom("orders", { id: 7 });
 * await runtime.close();
 * ```
 *
 * @module
 */
export {
  type Configuration,
  loadConfig,
  type LoadOptions,
  type TextCache,
} from "./src/runtime/load.ts";
export {
  type ConnectorChoice,
  type Counts,
  createRuntime,
  type PublishOptions,
  type Runtime,
  type RuntimeOptions,
} from "./src/runtime/mod.ts";
export {
  type Clock,
  ConfigError,
  ConnectorError,
  type ErrorAnswer,
  type ErrorCode,
  ExpressionError,
  type ExpressionErrorCode,
  FlowError,
  type FlowErrorOptions,
  formatProblem,
  InFlight,
  PluginError,
  type PluginErrorCode,
  type Problem,
  PROBLEM_CODES,
  type ProblemCode,
  WorkerError,
} from "./src/base/mod.ts";
export type {
  AcceptModel,
  ConnectorModel,
  DedupeModel,
  DestinationModel,
  EachModel,
  ErrorHandlingModel,
  ErrorResponseModel,
  FallbackModel,
  FlowModel,
  LookupModel,
  Model,
  ModelSource,
  NamedExpression,
  RejectModel,
  RequestModel,
  RetryModel,
  ScheduleModel,
  ServiceModel,
  SourceModel,
  StepModel,
  TransformModel,
} from "./src/model/mod.ts";
export type { Decision, DecisionPart } from "./src/model/decision.ts";
export type { Schedule } from "./src/model/schedule.ts";
export type {
  AdvanceStep,
  ConnectionStep,
  EventStep,
  ExpectStep,
  FrameStep,
  GivenStep,
  MockStep,
  ReadingStep,
  RequestStep,
  TestClient,
  TestIdentity,
  TestModel,
  TestPlace,
  TestStep,
} from "./src/model/test.ts";
export {
  type About,
  accept,
  admit,
  attribute,
  block,
  type BlockProblem,
  blocks,
  type Cancellable,
  type Channel,
  type Client,
  type Connector,
  type ConnectorCluster,
  type ConnectorContext,
  type ConnectorDefinition,
  type ConnectorType,
  type DedupeStore,
  defineConnector,
  type Destination,
  type DestinationType,
  dispatch,
  type Dispatched,
  duration,
  type Ending,
  expression,
  expressionMap,
  expressions,
  type Field,
  type Fields,
  type FileDependency,
  type FilterRefusal,
  flag,
  type FlowEvent,
  type FlowHandler,
  type HonoApp,
  type HttpService,
  integer,
  type ListenerDemands,
  type Logger,
  lookups,
  oneOf,
  type Outcome,
  path,
  type ReadContext,
  required,
  type Settlement,
  size,
  type SourceType,
  type StepResults,
  target,
  text,
  type Transaction,
  type Usage,
  type ValueResult,
  type Values,
  type ValueSchema,
  type WriteRequest,
} from "./src/contract/mod.ts";
export {
  type AddressSource,
  type Batch,
  connectStandardSocket,
  Frame,
  type Handshake,
  type HandshakeAcceptance,
  type HandshakeRefusal,
  type HandshakeRequest,
  type Peer,
  type ReceivedHandshake,
  type SocketEndpoint,
  type SocketFeatures,
  type SocketSession,
  STANDARD_FEATURES,
  type Upgrader,
  type VouchedClient,
} from "./src/transport/mod.ts";
export type { Expression, Scope } from "./src/expression/mod.ts";
export type { Checked, DataType, Violation } from "./src/type/mod.ts";
export type {
  Attribute,
  Block,
  Body,
  Label,
  Report,
  SourceFile,
  SourceProblem,
  Span,
} from "./src/hcl/tree.ts";
