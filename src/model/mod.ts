/**
 * The types of a validated, immutable configuration.
 *
 * May import base/, contract/, expression/ and type/.
 */
import type { FilterRefusal, Settlement } from "../contract/connector.ts";
import type { BlockProblem, ConnectorType } from "../contract/definition.ts";
import type { ProbeRequest, ProbeSource, RequestProblem } from "../contract/probe.ts";
import type { Problem } from "../base/problem.ts";
import type { Expression } from "../expression/mod.ts";
import type { LookupModel, RequestModel, StepModel } from "../contract/request.ts";
import type { Decision } from "./decision.ts";
import type { Schedule } from "./schedule.ts";
import type { TestModel } from "./test.ts";
import type { DataType } from "../type/mod.ts";

export type { LookupModel, RequestModel, StepModel } from "../contract/request.ts";

/** A configuration that can run. `loadConfig` makes it. */
export interface Model {
  /** The identity of the service, and its shutdown. */
  readonly service: ServiceModel;
  /** By name. */
  readonly connectors: ReadonlyMap<string, ConnectorModel>;
  /** In the order of files and lines. */
  readonly flows: readonly FlowModel[];
  /** The name of the connector that links the instances of the service; undefined for none. */
  readonly backplane: string | undefined;
  /** Values for every expression, as `constants.name`. */
  readonly constants: Readonly<Record<string, unknown>>;
  /** In the order of files and lines. */
  readonly tests: readonly TestModel[];
  /** What does not keep it from running, but is hardly what was meant. */
  readonly warnings: readonly Problem[];
  /** Tells whether another model makes the same server. */
  readonly source: ModelSource;
}

/** What a model was made of, without `test` blocks, comments and places. */
export interface ModelSource {
  /** Text that is equal where all blocks with their values and labels are. */
  describe(): string;
  /** All decisions of its flows and connectors, with their places. */
  decisions(): readonly Decision[];
  /** What its flows and the look-ups of its connectors ask connectors for, and what starts its flows. */
  planned(): Promise<Planned>;
  /**
   * The variables that `env` was asked for by expressions so far, and their values. Values that are
   * evaluated at the start are in the text.
   */
  readonly env: ReadonlyMap<string, string | undefined>;
}

/** What a configuration does with its connectors, as far as it is known before any event. */
export interface Planned {
  /** In the order written. */
  readonly requests: readonly PlannedRequest[];
  /** In the order written. */
  readonly sources: readonly PlannedSource[];
}

/** A `to`, `step` or `fallback` block, as far as it is known before any event. */
export interface PlannedRequest extends Omit<ProbeRequest, "report"> {
  /** The name of the connector that is asked. */
  readonly connector: string;
  /** The problem at its place. */
  problem(found: RequestProblem): Problem;
}

/** A `from` block that names a connector. */
export interface PlannedSource extends Omit<ProbeSource, "report"> {
  /** The name of the connector. */
  readonly connector: string;
  /** The problem at its place. */
  problem(found: BlockProblem): Problem;
}

/** The `service` block, or what goes without one. */
export interface ServiceModel {
  /** Undefined if the block has no name. */
  readonly name: string | undefined;
  /** Undefined where the block does not say. */
  readonly version: string | undefined;
  /** Undefined for no admin port. */
  readonly admin: AdminModel | undefined;
  /** Milliseconds that an end may take. */
  readonly shutdownTimeout: number;
  /** Milliseconds over which an end spreads the closing of clients. */
  readonly shutdownSpread: number;
  /** Which part of the traces that begin here is recorded, from 0 to 1. */
  readonly traceRatio: number;
}

/** The admin port of the `service` block. */
export interface AdminModel {
  /** The address to listen on. */
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** What every request needs; undefined where it is reached from this machine only. */
  readonly token: string | undefined;
}

/** One `connector` block. */
export interface ConnectorModel {
  /** The block's label. */
  readonly name: string;
  /** As the block's `type` says. */
  readonly type: string;
  /** The kind of connector that `type` names. */
  readonly definition: ConnectorType;
  /** What the definition's fields made of the block. */
  readonly options: unknown;
  /** Every `step` block inside it. */
  readonly lookups: readonly LookupModel[];
}

/** One `flow` block. */
export interface FlowModel {
  /** The block's label. */
  readonly name: string;
  /** What starts it. */
  readonly source: SourceModel | ScheduleModel;
  /** Milliseconds that one run may take, retries included. */
  readonly timeout: number;
  /** Refuses events; undefined where all are let in. */
  readonly accept: AcceptModel | undefined;
  /** The types of what comes in and of what goes on. */
  readonly validate: {
    readonly input?: DataType | undefined;
    readonly output?: DataType | undefined;
  };
  /** In the order written. */
  readonly steps: readonly StepModel[];
  /** In the order written: those among the steps, then those among the destinations. */
  readonly rejects: readonly RejectModel[];
  /** Undefined where the payload goes on as it came. */
  readonly transform: TransformModel | undefined;
  /** Leaves out what has been handled already; undefined for never. */
  readonly dedupe: DedupeModel | undefined;
  /** In the order written. */
  readonly to: readonly DestinationModel[];
  /** What the sender is answered; undefined for no answer. */
  readonly response: readonly NamedExpression[] | undefined;
  /** What happens when something fails. */
  readonly errorHandling: ErrorHandlingModel;
}

/** A `transform` block of a flow or of a destination. */
export interface TransformModel {
  /** Evaluated from top to bottom. */
  readonly lines: readonly NamedExpression[];
  /** Whether they are added to the payload; otherwise they replace it. */
  readonly extend: boolean;
  /** The block's place, for errors. */
  readonly place: string;
}

/** The name of a field and the expression for its value. */
export type NamedExpression = readonly [name: string, value: Expression];

/** A `from` block. */
export interface SourceModel {
  /** Tells it from a schedule. */
  readonly kind: "connector";
  /** The connector's name. */
  readonly connector: string;
  /** Undefined: every event of that connector. */
  readonly operation: string | undefined;
  /** The event is not for this flow where it is false. */
  readonly filter: Expression | undefined;
  /** What becomes of a broker's message that no flow takes; undefined: it is acked. */
  readonly filterRefusal: FilterRefusal | undefined;
  /** True if the flow takes requests without a token. */
  readonly public: boolean;
}

/** A flow's `when`. */
export interface ScheduleModel {
  /** Tells it from a `from` block. */
  readonly kind: "schedule";
  /** As `parseSchedule` read it. */
  readonly when: Schedule;
}

/** An `accept` block. */
export interface AcceptModel {
  /** Run before `when` is asked. */
  readonly steps: readonly StepModel[];
  /** The event is refused where it is false. */
  readonly when: Expression;
  /** What becomes of a refused event: `ack` counts as handled. */
  readonly onReject: Settlement;
}

/** A `reject` block. */
export interface RejectModel {
  /** The number of steps that run before it. */
  readonly after: number;
  /** The number of destinations that run before it; 0: it runs among the steps. */
  readonly delivered: number;
  /** The event is refused where it is true. */
  readonly when: Expression;
  /** The error code for the sender. */
  readonly code: string;
  /** The HTTP status. */
  readonly status: number;
  /** The message for the sender. */
  readonly message: string;
  /** What becomes of a refused event: `ack` counts as handled. */
  readonly onReject: Settlement;
}

/** A `to` block. */
export interface DestinationModel extends RequestModel {
  /** Its result is `results.NAME`; undefined for a block without a label. */
  readonly name?: string | undefined;
  /** Runs it for each item of a list; undefined where it runs once. */
  readonly each?: EachModel | undefined;
  /** Reshapes the payload for this destination alone. */
  readonly transform: TransformModel | undefined;
  /** Runs together with neighbours that say so, too. */
  readonly parallel: boolean;
  /** Is one transaction with neighbours on the same connector that say so, too. */
  readonly atomic: boolean;
  /** Whether delivering here makes something new, as an INSERT does. */
  readonly creates: boolean;
  /**
   * False if the result of the delivery is not used. The `response`, HTTP callers, and destinations
   * and `reject` blocks after this one may use it.
   */
  readonly resultUsed?: boolean;
}

/** The `each` of a destination. */
export interface EachModel {
  /** Its list; null is an empty one. */
  readonly list: Expression;
  /** The attribute's place, for errors. */
  readonly place: string;
}

/** A `dedupe` block. */
export interface DedupeModel {
  /** What two events have alike that are one; an event whose key is null is never a duplicate. */
  readonly key: Expression;
  /** Milliseconds for which a key is known. */
  readonly ttl: number;
  /** How many keys are kept in memory, oldest dropped first. */
  readonly maxKeys: number;
  /** The connector that keeps the keys; undefined for memory. */
  readonly store: string | undefined;
  /** Takes note of a repeated event, for `weir test --coverage`. Absent elsewhere. */
  readonly repeated?: (() => void) | undefined;
}

/** An `error_handling` block, or what goes without one. */
export interface ErrorHandlingModel {
  /** How often and when the destinations are tried. */
  readonly retry: RetryModel;
  /** Takes what failed for good. */
  readonly fallback: FallbackModel | undefined;
  /** What the caller gets: by the first that applies, else the error itself. */
  readonly errorResponses: readonly ErrorResponseModel[];
}

/** A `retry` block. */
export interface RetryModel {
  /** The number of tries in all; 1 for no retry. */
  readonly attempts: number;
  /** The delay before the second try, in milliseconds. */
  readonly delay: number;
  /** The longest delay, in milliseconds. */
  readonly maxDelay: number;
  /** How the delay grows with each try. */
  readonly backoff: "constant" | "linear" | "exponential";
}

/** A `fallback` block. */
export interface FallbackModel extends DestinationModel {
  /** Adds `error` to the payload. */
  readonly includeError: boolean;
}

/** An `error_response` block. */
export interface ErrorResponseModel {
  /** Undefined if it applies to every failure. */
  readonly when: Expression | undefined;
  /** The HTTP status; undefined where the error's code decides. */
  readonly status: number | undefined;
  /** Undefined if the error itself is returned. */
  readonly body: readonly NamedExpression[] | undefined;
}
