/** A socket between a worker and its supervisor, for the link of the workers. */
import { connect, type Socket } from "node:net";
import { WorkerError } from "../base/errors.ts";
import type { Pipe, PipeListener } from "../cluster/mod.ts";

/** Where a worker finds the hub. */
export interface LinkAddress {
  /** The name of the supervisor's socket. */
  readonly path: string;
  /** What the worker sends first: 32 characters that nobody else knows. */
  readonly key: string;
}

/** The length of `LinkAddress.key`. */
export const KEY_LENGTH = 32;

/**
 * Connects to the hub of the supervisor.
 *
 * @throws {WorkerError} Nobody listens there: the supervisor has ended.
 */
export async function connectToHub(
  { path, key }: LinkAddress,
  listener: PipeListener,
): Promise<Pipe> {
  const socket = connect(path);
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", (cause) => {
      reject(new WorkerError(`cannot reach the supervisor: ${cause.message}`, { cause }));
    });
  });
  socket.write(key);
  return pipeOver(socket, listener);
}

/** A pipe over a socket that is connected. Tells the listener what happens to it. */
export function pipeOver(socket: Socket, listener: PipeListener): Pipe {
  let reason = "has lost its connection";
  /** Rejects the write in flight: not every runtime does so when the socket is closed. */
  let fail: ((error: Error) => void) | undefined;
  socket.on("error", (error) => void (reason = `has lost its connection: ${error.message}`));
  socket.on("close", () => {
    fail?.(new Error(reason));
    listener.end(reason);
  });
  socket.on("data", (chunk: Uint8Array) => {
    listener.read(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
  });
  // One whose other side has ended is of no use.
  socket.on("end", () => void socket.destroy());
  return {
    write: (bytes) =>
      new Promise((resolve, reject) => {
        fail = reject;
        if (socket.destroyed) return reject(new Error(reason));
        socket.write(bytes, (error) => error ? reject(error) : resolve());
      }),
    close: () => void socket.destroySoon(),
  };
}
