/** What a scene is. */
import type { Page } from "../browser.ts";

/** A running example. */
export interface Served {
  /** Such as `http://localhost:40123`. */
  readonly origin: string;
  /** The file of its database. */
  readonly database: string;
  /** Ends the server. */
  stop(): Promise<void>;
}

/** A page and its content. */
export interface Scene {
  /** The name of its pictures. */
  readonly name: string;
  /** The folder in `examples/`. */
  readonly example: string;
  /** The connector whose port serves the page. */
  readonly connector: string;
  /** The environment variable with the file of the database. */
  readonly database: string;
  /** More environment variables of the server. */
  readonly env?: (origin: string) => Readonly<Record<string, string>>;
  /** Runs in the page before its own scripts. */
  readonly script?: string;
  /** What is there before the page is opened; the result ends the clients that it needs. */
  fill(served: Served): Promise<() => void>;
  /** What happens while the page is open. */
  play(served: Served): Promise<void>;
  /** A text of the page that says that the content is there. */
  readonly filled: string | RegExp;
  /** A text of the page that says that all of `play` has arrived. */
  readonly played: string | RegExp;
  /** What a reader does with the page before its picture is taken. */
  use?(page: Page): Promise<void>;
}
