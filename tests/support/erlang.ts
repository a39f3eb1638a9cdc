/**
 * Asks a node of RabbitMQ what `rabbitmqctl` would ask it: that is an Erlang of its own at each call,
 * which takes half a second of the processor.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import process from "node:process";
import { ERL_CALL } from "./broker-programs.ts";

/** The node that is asked. */
export interface ErlangNode {
  /** `rabbit`, or with a host `rabbit@localhost`. */
  readonly name: string;
  /** What nodes know each other by. */
  readonly cookie: string;
  /** Where the port mapper of the node is; that of the machine by default. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The node of this machine. Root and its own user may read its cookie. */
export async function machineNode(): Promise<ErlangNode> {
  return { name: "rabbit", cookie: await readFile("/var/lib/rabbitmq/.erlang.cookie", "utf8") };
}

/** Evaluates expressions, which a full stop ends; returns the last value as Erlang writes it. */
export async function evaluate(node: ErlangNode, expressions: string): Promise<string> {
  const { name, cookie, env = {} } = node;
  // Two that are there at the same time must not have one name.
  const us = `weir-${crypto.randomUUID()}`;
  const child = spawn(ERL_CALL, ["-sname", name, "-c", cookie.trim(), "-h", us, "-e"], {
    env: { ...process.env, ...env },
  });
  // Where it ends before it has read, it says why.
  child.stdin.on("error", () => {});
  child.stdin.end(`${expressions}\n`);
  const [answer, complaint] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [, value] = /^\{ok, ([^]*)\}$/.exec(answer) ?? [];
  assert.ok(value !== undefined, `${expressions} in ${name}: ${answer}${complaint}`);
  return value;
}

/** The node's names of the connections whose clients describe themselves with `text`. */
export async function connectionsWith(node: ErlangNode, text: string): Promise<readonly string[]> {
  const told = await evaluate(
    node,
    `[rabbit_misc:pid_to_string(Pid) ||
      [{pid, Pid}, {client_properties, Said}]
        <- rabbit_networking:connection_info_all([pid, client_properties]),
      string:find(io_lib:format("~p", [Said]), ${JSON.stringify(text)}) =/= nomatch].`,
  );
  return told.match(/<[^>]+>/g) ?? [];
}

/** Closes a connection of this name, as an operator does. */
export async function closeConnection(node: ErlangNode, name: string): Promise<void> {
  const pid = `rabbit_misc:string_to_pid(${JSON.stringify(name)})`;
  await evaluate(node, `rabbit_networking:close_connection(${pid}, "test").`);
}
