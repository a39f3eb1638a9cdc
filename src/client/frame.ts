/** Frames of the wire protocol, as they come: none of their fields can be trusted. */

/** A frame of the server. */
export interface Frame {
  /** Its type, such as `message`. */
  readonly type: string;
  /** What it carries. */
  readonly data?: unknown;
  /** Its room, if it was sent to one. */
  readonly room?: string;
  /** Any other field. */
  readonly [field: string]: unknown;
}

/** Reads a frame; undefined for whatever is none. */
export function readFrame(text: unknown): Frame | undefined {
  try {
    const frame = JSON.parse(text as string);
    return typeof frame?.type === "string" ? frame : undefined;
  } catch {
    return undefined;
  }
}
