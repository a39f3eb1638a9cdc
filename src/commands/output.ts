/** The ends of what a command prints. */
import process from "node:process";

/** Waits until everything printed has left the process: on Node an exit cuts off what a pipe holds. */
export async function flushOutput(): Promise<void> {
  const flushed = (stream: NodeJS.WriteStream): Promise<void> =>
    // A reader that has gone needs nothing more.
    new Promise((resolve) => void stream.write("", () => resolve()));
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
}
