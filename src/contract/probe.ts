/** What `weir check` asks of a connector about the requests of a configuration. */
import type { KnownValue } from "../base/known-value.ts";
import type { BlockProblem } from "./problem.ts";

/**
 * A `to`, `step` or `fallback` block that names a connector, as far as it is known before any event.
 * `probe` can ask the service whether it would take such a request, and `inspect` can compare it with
 * the files of the configuration.
 */
export interface ProbeRequest<Options = unknown> {
  /** As written; undefined where it is absent. */
  readonly operation: string | undefined;
  /** Undefined where the block has none, or an event decides. */
  readonly target: string | undefined;
  /** The values of the destination's own fields: the same object that its `write` gets. */
  readonly options: Options;
  /** The names of all fields that its payload can have; undefined where an event decides. */
  readonly fields: readonly string[] | undefined;
  /** Those fields that the configuration names, whether an event can add others or not. */
  readonly named: readonly NamedField[];
  /** Takes what the service would refuse. `weir check` shows it at the place of the block. */
  report(problem: RequestProblem): void;
}

/** A field that a `transform`, a `type` or `params` names. */
export interface NamedField {
  /** Its name. */
  readonly name: string;
  /** All values that it can have, as far as they are known; absent where it may be anything. */
  readonly values?: readonly KnownValue[];
}

/** A problem of a block that asks a connector for something. */
export interface RequestProblem extends BlockProblem {
  /** The field of the payload to point at, where the configuration names it. */
  readonly field?: string;
  /** Whether to point at what the configuration writes for that field, and not at its name. */
  readonly atValue?: boolean;
  /** The item of the list in `attribute` to point at. */
  readonly item?: string;
  /** The part of the text in `attribute` to point at: offsets in UTF-16 units, end exclusive. */
  readonly part?: TextRange;
}

/** A part of a text: offsets in UTF-16 units from 0, end exclusive. */
export interface TextRange {
  /** The offset of its first unit. */
  readonly start: number;
  /** The offset behind its last unit. */
  readonly end: number;
}

/** A `from` block that names a connector. `probe` can look whether the service could start its flow. */
export interface ProbeSource {
  /** As written; undefined where it is absent. */
  readonly operation: string | undefined;
  /** Takes why nothing would start the flow. `weir check` shows it at the place of the block. */
  report(problem: BlockProblem): void;
}

/** What `inspect` of a connector type looks at. */
export interface InspectedUse {
  /** The connector's name. */
  readonly name: string;
  /** What flows and look-ups ask of the connector. */
  readonly requests: readonly ProbeRequest[];
  /** What starts flows at the connector. */
  readonly sources: readonly ProbeSource[];
  /** Takes a problem of the `connector` block. */
  report(problem: BlockProblem): void;
  /** Takes a problem of a file that the `connector` block names. */
  reportIn(file: TextFile, problem: FileProblem): void;
}

/** A file that is not part of the configuration's own text, such as a migration. */
export interface TextFile {
  /** Its path. */
  readonly path: string;
  /** Its whole text. */
  readonly text: string;
}

/** A problem in such a file. */
export interface FileProblem extends Pick<BlockProblem, "code" | "message" | "hint"> {
  /** The part of the text to point at. */
  readonly part: TextRange;
}
