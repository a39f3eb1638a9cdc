/** The types of a validated, immutable configuration. */
import type { ConnectorType } from "./connector.ts";
import type { Expression } from "./expression.ts";
import type { Schedule } from "./schedule.ts";

/** A configuration that can run. `loadConfig` makes it. */
export interface Model {
  /** By name. */
  readonly connectors: ReadonlyMap<string, ConnectorModel>;
  /** In the order of files and lines. */
  readonly flows: readonly FlowModel[];
  /** Values for every expression, as `constants.name`. */
  readonly constants: Readonly<Record<string, unknown>>;
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
}

/** One `flow` block. */
export interface FlowModel {
  /** The block's label. */
  readonly name: string;
  /** What starts it. */
  readonly source: SourceModel | ScheduleModel;
  /** Evaluated from top to bottom; undefined where the payload goes on as it came. */
  readonly transform: readonly NamedExpression[] | undefined;
  /** In the order written. */
  readonly to: readonly DestinationModel[];
  /** What the sender is answered; undefined for no answer. */
  readonly response: readonly NamedExpression[] | undefined;
}

/** A field's name and the expression that gives its value. */
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
}

/** A flow's `when`. */
export interface ScheduleModel {
  /** Tells it from a `from` block. */
  readonly kind: "schedule";
  /** As `parseSchedule` read it. */
  readonly when: Schedule;
}

/** A `to` block. */
export interface DestinationModel {
  /** The connector's name. */
  readonly connector: string;
  /** What the connector does with the payload; undefined where the block does not say. */
  readonly operation: string | undefined;
  /** A literal name, or an expression. */
  readonly target: string | Expression | undefined;
  /** Skips this destination where it is false. */
  readonly when: Expression | undefined;
  /** What the connector's destination fields made of the block. */
  readonly options: unknown;
  /** Whether delivering here makes something new, as an INSERT does. */
  readonly creates: boolean;
}
