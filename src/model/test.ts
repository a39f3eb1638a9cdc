/** The types of `test` blocks: what a flow must do, as steps in the order written. */
import type { Problem } from "../base/problem.ts";

/** One `test` block. */
export interface TestModel {
  /** The block's label. */
  readonly name: string;
  /** In the order written, in which those that `connect` do so before the first step. */
  readonly clients: readonly TestClient[];
  /** In the order written. */
  readonly steps: readonly TestStep[];
  /** Whether connectors use the services that the configuration names, where their types can. */
  readonly real: boolean;
  /** The place of the block. */
  readonly place: TestPlace;
}

/** The file and the line of a block. */
export type TestPlace = Pick<Problem, "file" | "line" | "column">;

/** A `client` block. */
export interface TestClient {
  /** Its label. */
  readonly name: string;
  /** The connector that it connects to. */
  readonly connector: string;
  /** The user id, verified or claimed; null for none. */
  readonly userId: string | null;
  /** What its token says; null for no token, and where `userId` is all that is known of it. */
  readonly claims: Readonly<Record<string, unknown>> | null;
  /** Whether its connector verifies identities: the test then provides the identity. */
  readonly verified: boolean;
  /** True where it listens to a stream of events and has no WebSocket. */
  readonly sse: boolean;
  /** Joined after it has connected. */
  readonly rooms: readonly string[];
  /** The field `presence` of these joins; undefined for none. */
  readonly presence?: unknown;
  /** Query parameters of the handshake. */
  readonly params: Readonly<Record<string, string>>;
  /** Headers of the handshake, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The address that it comes from; undefined for one of its own. */
  readonly remoteAddress: string | undefined;
  /** False where it takes nothing that is sent to it, from the first step on. */
  readonly reads: boolean;
  /** False where a `given` connects it. */
  readonly connects: boolean;
  /** The place of the block. */
  readonly place: TestPlace;
}

/** What a test does or demands. */
export type TestStep = GivenStep | MockStep | ExpectStep | AdvanceStep;

/** A `given` block: something happens. */
export type GivenStep = ConnectionStep | ReadingStep | FrameStep | EventStep | RequestStep;

/** A client connects or closes its connection. */
export interface ConnectionStep {
  /** Tells the steps apart. */
  readonly kind: "connect" | "disconnect";
  /** The client's name. */
  readonly subject: string;
  /** The close code of a `disconnect`; 1000 where it is undefined. */
  readonly code?: number | undefined;
  /** The place of the block. */
  readonly place: TestPlace;
}

/** A client begins to read what is sent to it, or stops. */
export interface ReadingStep {
  /** Tells the steps apart. */
  readonly kind: "reading";
  /** The client's name. */
  readonly subject: string;
  /** Whether it reads from now on. */
  readonly reads: boolean;
  /** The place of the block. */
  readonly place: TestPlace;
}

/** A user and claims, as a token has them. */
export interface TestIdentity {
  /** Null if the claims say it. */
  readonly userId: string | null;
  /** Null if only the user is known. */
  readonly claims: Readonly<Record<string, unknown>> | null;
}

/** A client sends a frame. */
export interface FrameStep {
  /** Tells the steps apart. */
  readonly kind: "frame";
  /** The client's name. */
  readonly subject: string;
  /** The whole frame. */
  readonly text: string;
  /** Whom the token of an `auth` frame is for; undefined where the frame has none of the test's. */
  readonly renewal: TestIdentity | undefined;
  /** The room of a join that asks for offsets, and for what the client has missed of it. */
  readonly resumes: string | undefined;
  /** The place of the block. */
  readonly place: TestPlace;
}

/** A connector without clients and requests has an event, such as a broker's message. */
export interface EventStep {
  /** Tells the steps apart. */
  readonly kind: "event";
  /** The connector's name. */
  readonly subject: string;
  /** Such as the routing key. */
  readonly operation: string;
  /** What was sent; null where the block does not say. */
  readonly data: unknown;
  /** The message's headers. */
  readonly headers: Readonly<Record<string, unknown>>;
  /** What is known of a row as it was before its change; null where the block does not say. */
  readonly old: unknown;
  /** The place of the block. */
  readonly place: TestPlace;
}

/** An HTTP request comes. */
export interface RequestStep {
  /** Tells the steps apart. */
  readonly kind: "request";
  /** The connector's name. */
  readonly subject: string;
  /** Upper case. */
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The text of the body; undefined for none. */
  readonly body: string | undefined;
  /** Who sends it; undefined for nobody known. */
  readonly identity: TestIdentity | undefined;
  /** The address that it comes from; undefined for the usual one. */
  readonly remoteAddress: string | undefined;
  /** The place of the block. */
  readonly place: TestPlace;
}

/** A `mock` block: what a connector returns instead of acting. */
export interface MockStep {
  /** Tells the steps apart. */
  readonly kind: "mock";
  /** The connector's name. */
  readonly subject: string;
  /** Only for steps of this name; undefined for all that the connector is asked. */
  readonly step: string | undefined;
  /** Only for this operation; undefined for any. */
  readonly operation: string | undefined;
  /** Only for this target; undefined for any. */
  readonly target: string | undefined;
  /** What is returned. */
  readonly returns: unknown;
  /** Why it fails instead; undefined where it does not. */
  readonly error: string | undefined;
  /** Whether a second try cannot succeed either. */
  readonly permanent: boolean;
  /** The status of the API's answer; undefined where it has not answered. */
  readonly status: number | undefined;
  /** The body of that answer. */
  readonly body: unknown;
  /** Milliseconds of the test's clock until it returns or fails. */
  readonly delay: number;
  /** How often it answers; Infinity for always. */
  readonly times: number;
  /** The place of the block. */
  readonly place: TestPlace;
}

/** An `expect` block: what must have happened. */
export interface ExpectStep {
  /** Tells the steps apart. */
  readonly kind: "expect";
  /** A client's or a connector's name. */
  readonly subject: string;
  /** Nothing has come that no earlier `expect` has taken. */
  readonly nothing: boolean;
  /** What a frame, a write, an answer or a failure must have at least, by name. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** The exact number of matches; undefined for the first match. */
  readonly count: number | undefined;
  /** The place of the block. */
  readonly place: TestPlace;
}

/** An `advance` block: time passes. */
export interface AdvanceStep {
  /** Tells the steps apart. */
  readonly kind: "advance";
  /** Milliseconds. */
  readonly by: number;
  /** The place of the block. */
  readonly place: TestPlace;
}
