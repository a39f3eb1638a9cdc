/** Changes and notifications as events for flows. */
import { isObject, parseJson } from "../../../base/json.ts";
import type { FlowEvent } from "../../../contract/connector.ts";
import type { Change } from "./feed.ts";
import { parseOperation } from "./operation.ts";

/** The fields of `input` that a change has beside its row. */
const CHANGE_METADATA = [
  ...["old", "operation", "table", "committed_at", "lsn", "unchanged", "row"],
];

/** The fields of `input` that a notification has beside those of its payload. */
const NOTIFICATION_METADATA = ["channel", "operation", "body"];

/** All of them. */
export const METADATA: readonly string[] = [
  ...new Set([...CHANGE_METADATA, ...NOTIFICATION_METADATA]),
];

const ofChanges: ReadonlySet<string> = new Set(CHANGE_METADATA);
const ofNotifications: ReadonlySet<string> = new Set(NOTIFICATION_METADATA);

/** A change as flows see it. Several flows may share one event. */
export class ChangeEvent implements FlowEvent {
  readonly operation: string;
  readonly payload: Change["row"];
  readonly #change: Change;
  #input: Readonly<Record<string, unknown>> | undefined;

  /** Copies nothing. */
  constructor(change: Change) {
    this.operation = `${change.operation} ${change.table}`;
    this.payload = change.row;
    this.#change = change;
  }

  /** The columns of the row, and the metadata, which wins; made on first use. */
  get input(): Readonly<Record<string, unknown>> {
    return this.#input ??= inputOf(this.#change);
  }

  get metadata(): ReadonlySet<string> {
    return ofChanges;
  }
}

function inputOf(
  { operation, table, row, old, unchanged, lsn, committedAt }: Change,
): Readonly<Record<string, unknown>> {
  // Spreading defines its keys one by one, so that "__proto__" is a key like any other.
  return { ...row, old, operation, table, committed_at: committedAt, lsn, unchanged, row };
}

/** A notification as flows see it. */
export class NotificationEvent implements FlowEvent {
  readonly operation: string;
  readonly payload: unknown;
  readonly #channel: string;
  #input: Readonly<Record<string, unknown>> | undefined;

  /** Parses a payload that is JSON; any other stays text. */
  constructor(channel: string, payload: string) {
    this.operation = `NOTIFY ${channel}`;
    this.payload = parsed(payload);
    this.#channel = channel;
  }

  /** The fields of the payload, if it is an object, and the metadata, which wins. */
  get input(): Readonly<Record<string, unknown>> {
    if (this.#input === undefined) {
      const fields = isObject(this.payload) ? this.payload : {};
      const metadata = { channel: this.#channel, operation: "NOTIFY", body: this.payload };
      this.#input = { ...fields, ...metadata };
    }
    return this.#input;
  }

  get metadata(): ReadonlySet<string> {
    return ofNotifications;
  }
}

/** The event of a `given` block of a test: a change whose row is `data`, or a notification. */
export function givenEvent(
  operation: string,
  data: unknown,
  old: unknown,
  now: number,
): FlowEvent {
  const wanted = parseOperation(operation);
  if (wanted === undefined || wanted.kind === "*" || wanted.kind === "NOTIFY") {
    const channel = wanted?.kind === "NOTIFY" ? wanted.channel : "";
    return new NotificationEvent(channel, typeof data === "string" ? data : JSON.stringify(data));
  }
  return new ChangeEvent({
    operation: wanted.kind,
    table: wanted.table.written,
    row: isObject(data) ? data : {},
    old: isObject(old) ? old : null,
    unchanged: [],
    lsn: "0/0",
    committedAt: new Date(now).toISOString(),
  });
}

function parsed(payload: string): unknown {
  try {
    return parseJson(payload);
  } catch {
    return payload;
  }
}
