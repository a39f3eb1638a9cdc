/** The log that connectors and backplanes write. */

/**
 * A structured log. `{name}` in a message is replaced by the property of that name. Secrets and message
 * bodies do not belong into it above the level trace.
 */
export interface Logger {
  /** What happens to single events, with their payloads. */
  trace(message: string, properties?: Readonly<Record<string, unknown>>): void;
  /** Details that help to find a fault. */
  debug(message: string, properties?: Readonly<Record<string, unknown>>): void;
  /** What an operator wants to know. */
  info(message: string, properties?: Readonly<Record<string, unknown>>): void;
  /** A condition that an operator should look at. */
  warn(message: string, properties?: Readonly<Record<string, unknown>>): void;
  /** Something that failed. */
  error(message: string, properties?: Readonly<Record<string, unknown>>): void;
}
