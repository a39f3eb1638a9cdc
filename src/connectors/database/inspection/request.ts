/** What is inspected, and what is found. */
import type { CodedProblem } from "../../../contract/definition.ts";
import type { ProbeRequest, RequestProblem } from "../../../contract/probe.ts";
import type { DatabaseDestination } from "../options.ts";

/** A request for a database. */
export type DatabaseRequest = ProbeRequest<DatabaseDestination>;

/** A problem of Weir's own, with its place inside the block. */
export type FoundProblem =
  & CodedProblem
  & Pick<RequestProblem, "field" | "atValue" | "item" | "part">;
