/** What the cases need of a client library beside the chat: its status, and requests. */

/** What a library tells of its connection. */
export type Status =
  /** The server answers. */
  | "open"
  /** Not connected: the library tries again. */
  | "lost"
  /** Not connected: the library does not try again. */
  | "over";

/** How a connection is made. */
export interface LibraryOptions {
  readonly url: string;
  /** The room that requests go to. */
  readonly room: string;
  readonly token?: string;
  /** Whether the library repeats requests that a cut has left without an answer, if it can. */
  readonly retry?: boolean;
  /** Whether the server leaves out repetitions, if it can. */
  readonly dedupe?: boolean;
  /** Gets each status, with what the library says about it. */
  readonly tell: (status: Status, reason: string) => void;
}

/** A connection of a library. */
export interface Connection {
  /** Sends a numbered request, which the server sends on to the room; resolves with the answer. */
  ask(n: number): Promise<unknown>;
  close(): void;
}

/** Connects. */
export type Connect = (options: LibraryOptions) => Connection;
