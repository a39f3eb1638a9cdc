/**
 * The interfaces between connectors and the rest: what a connector implements, its definition, the
 * fields of its blocks, and how it starts flows.
 *
 * May import base/, expression/, hcl/ and transport/.
 */
export type { Channel, ConnectorCluster, DedupeStore } from "./cluster.ts";
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
export { lookups } from "./step-fields.ts";
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
