/** The load generator: a C program that is compiled on first use. */
import { fileURLToPath } from "node:url";

/** One measurement: so many clients in one room, so many messages to it. */
export interface Load {
  /** Members of the room. */
  readonly clients: number;
  /** Messages, each delivered to every member. */
  readonly messages: number;
  /** Messages that may be on their way at once. */
  readonly window: number;
}

/** What one measurement found. */
export interface Measurement {
  /** Server CPU time for one delivery, user and system, in microseconds. */
  readonly cpu: number;
  /** Deliveries a second. */
  readonly rate: number;
  /** Milliseconds from the send to the last member's receipt, for half of the messages. */
  readonly p50: number;
  /** The same for 99 of 100. */
  readonly p99: number;
}

/** What the load generator prints. */
interface Output {
  readonly lost: number;
  readonly per_s: number;
  readonly server_cpu_us_per_delivery: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
}

/** The frame that joins the room. */
export const joinFrame: string = JSON.stringify({ type: "join_room", room: "r" });

const text =
  "The quick brown fox jumps over the lazy dog and one hundred bytes are what this line has to measure.";
const source = fileURLToPath(new URL("wsload.c", import.meta.url));
const folder = fileURLToPath(new URL(".build/", import.meta.url));
const program = `${folder}wsload`;

/** The frame that delivers the load's message number `n` to a member. */
export function loadFrame(n: number): string {
  return JSON.stringify({ type: "message", data: loadData(String(n).padStart(9, "0")), room: "r" });
}

function loadData(number: string): { readonly n: string; readonly text: string } {
  return { n: number, text };
}

/**
 * Compiles the load generator.
 *
 * @throws Error with what the compiler said.
 */
export async function compileLoad(): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  await run("gcc", ["-O2", "-o", program, source]);
}

/**
 * Runs one measurement against the server on `port` whose process is `pid`.
 *
 * @throws Error when not every message reaches every member.
 */
export async function runLoad(load: Load, port: number, pid: number): Promise<Measurement> {
  const { clients, messages, window } = load;
  // The generator puts its count in the place of %n.
  const publish = JSON.stringify({ type: "message", data: loadData("%n") });
  const numbers = [port, "/ws", clients, messages, window].map(String);
  const output = JSON.parse(
    await run(program, ["fanout", ...numbers, joinFrame, publish, String(pid)]),
  ) as Output;
  if (output.lost !== 0) throw new Error(`${output.lost} deliveries were lost`);
  return {
    cpu: output.server_cpu_us_per_delivery,
    rate: output.per_s,
    p50: output.p50_ms,
    p99: output.p99_ms,
  };
}

/** What the load generator prints of one. */
interface EchoOutput {
  readonly messages: number;
  readonly server_cpu_us_per_msg: number;
}

/** One measurement of questions and answers. */
export interface EchoLoad {
  readonly clients: number;
  /** Frames in all, each of which must be answered by one. */
  readonly messages: number;
  /** Frames of one client that may be on their way at once. */
  readonly window: number;
  /** The endpoint. */
  readonly path: string;
  /** What every client sends. */
  readonly frame: string;
}

/**
 * Asks a server; gives its CPU time for one answer, in microseconds.
 *
 * @throws Error when not every frame is answered.
 */
export async function runEcho(
  { clients, messages, window, path, frame }: EchoLoad,
  { port, pid }: { readonly port: number; readonly pid: number },
): Promise<number> {
  const numbers = [clients, messages, window].map(String);
  const args = ["echo", String(port), path, ...numbers, "-", frame, String(pid)];
  const output = JSON.parse(await run(program, args)) as EchoOutput;
  if (output.messages < messages) throw new Error(`${messages - output.messages} got no answer`);
  return output.server_cpu_us_per_msg;
}

async function run(command: string, args: string[]): Promise<string> {
  const output = await new Deno.Command(command, { args, stdin: "null" }).output();
  const decoder = new TextDecoder();
  if (output.success) return decoder.decode(output.stdout);
  throw new Error(`${command} failed: ${decoder.decode(output.stderr).trim()}`);
}
