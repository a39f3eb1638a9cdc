/** Keeps the newest messages of topics in streams. Each call is one script, so that nothing comes between. */
import { Buffer } from "node:buffer";
import {
  type Appended,
  type Appending,
  BackplaneError,
  type BackplaneHistory,
  type Entries,
  type Keep,
  type Position,
} from "../../../../../contract/backplane.ts";
import { BYTES, type Client } from "../server/client.ts";
import { isForbidden } from "../server/errors.ts";
import type { Commands } from "./commands.ts";
import type { Names } from "./names.ts";

/**
 * What every script begins with. `KEYS` are a topic's state (`e`: the epoch, `n`: the newest offset),
 * its stream, and the ids of its messages with their offsets; the first arguments are the `run_id` of
 * the server, something random for a new epoch, and milliseconds. A server with another `run_id` may
 * have lost the last writes, so offsets go on in another epoch.
 */
const BEGIN = `local state, stream, ids = KEYS[1], KEYS[2], KEYS[3]
local run, fresh, ttl = ARGV[1], ARGV[2], ARGV[3]
local epoch = redis.call("HGET", state, "e")
local n = tonumber(redis.call("HGET", state, "n") or "0")
if not epoch then
  redis.call("DEL", stream, ids)
  n = 0
end
local isNew = not epoch or string.sub(epoch, 1, #run) ~= run
if isNew then epoch = run .. "-" .. fresh end
`;

/**
 * Adds messages. The arguments are a size, a channel, and an id (or nothing) and a message for each.
 * Publishes the epoch, the first offset, and each message behind its length. Returns the epoch and the
 * offset of each, 0 where its id was there.
 */
const APPEND = `${BEGIN}
local size, channel = tonumber(ARGV[4]), ARGV[5]
local first = n + 1
local offsets, parts = {}, {}
for i = 6, #ARGV, 2 do
  local id, message = ARGV[i], ARGV[i + 1]
  if id ~= "" and redis.call("ZSCORE", ids, id) then
    offsets[#offsets + 1] = 0
  else
    n = n + 1
    local offset = string.format("%d", n)
    redis.call("XADD", stream, "MAXLEN", "=", size, "0-" .. offset, "d", message)
    if id ~= "" then
      redis.call("ZADD", ids, offset, id)
      redis.call("ZREMRANGEBYSCORE", ids, "-inf", string.format("%d", n - size))
    end
    offsets[#offsets + 1] = n
    parts[#parts + 1] = #message .. ":" .. message
  end
end
if #parts > 0 or isNew then
  redis.call("HSET", state, "e", epoch, "n", string.format("%d", n))
  redis.call("PEXPIRE", state, ttl)
end
if #parts > 0 then
  redis.call("ZREMRANGEBYSCORE", ids, "-inf", string.format("%d", n - size))
  redis.call("PEXPIRE", stream, ttl)
  redis.call("PEXPIRE", ids, ttl)
  local head = "\\0kept\\0" .. epoch .. ":" .. string.format("%d", first) .. ":"
  redis.call("PUBLISH", channel, head .. table.concat(parts))
end
return {epoch, offsets}`;

/**
 * Reads. The arguments are an epoch and an offset, or nothing and a number of messages. Returns the
 * epoch, the newest offset, whether nothing after the position is missing, and the entries.
 */
const READ = `${BEGIN}
if isNew then
  redis.call("HSET", state, "e", epoch, "n", string.format("%d", n))
  redis.call("PEXPIRE", state, ttl)
end
local asked, value = ARGV[4], tonumber(ARGV[5])
local oldest = n - redis.call("XLEN", stream)
if asked ~= "" then
  if asked ~= epoch or value > n or value < oldest then return {epoch, n, 0, {}} end
  if value == n then return {epoch, n, 1, {}} end
  return {epoch, n, 1, redis.call("XRANGE", stream, string.format("0-%d", value + 1), "+")}
end
if value == 0 then return {epoch, n, 1, {}} end
local from = string.format("0-%d", math.max(oldest, n - value) + 1)
return {epoch, n, 1, redis.call("XRANGE", stream, from, "+")}`;

/** What a published message begins with that was kept: no batch of instances begins so. */
const MARK = Buffer.from("\0kept\0");

/** The answer of each script. */
type AppendAnswer = readonly [epoch: Buffer, offsets: readonly number[]];
type ReadAnswer = readonly [
  epoch: Buffer,
  newest: number,
  isWhole: number,
  entries: readonly (readonly [id: Buffer, fields: readonly [name: Buffer, message: Buffer]])[],
];

/** The history of a service. */
export class RedisHistory implements BackplaneHistory {
  readonly #commands: Commands;
  readonly #names: Names;
  /** The `run_id` of the server that each client leads to. */
  readonly #runs = new WeakMap<Client, Promise<string>>();

  constructor(commands: Commands, names: Names) {
    this.#commands = commands;
    this.#names = names;
  }

  async append(topic: string, messages: readonly Appending[], keep: Keep): Promise<Appended> {
    const added = messages.flatMap(({ message, id = "" }) => [id, bytesOf(message)]);
    const args = [String(keep.size), this.#names.topics + topic, ...added];
    const [epoch, offsets] = await this.#run<AppendAnswer>(APPEND, topic, keep, args);
    return { epoch: String(epoch), offsets: offsets.map((offset) => offset || undefined) };
  }

  async read(topic: string, keep: Keep, question: Position | number): Promise<Entries> {
    const args = typeof question === "number"
      ? ["", String(question)]
      : [question.epoch, String(question.offset)];
    const [epoch, offset, isWhole, entries] = await this.#run<ReadAnswer>(READ, topic, keep, args);
    const newest = { epoch: String(epoch), offset };
    const messages = entries.map(([, [, message]]) => message);
    return { newest, messages: isWhole === 1 ? messages : undefined };
  }

  /**
   * Removes what is kept of a topic.
   *
   * @throws {BackplaneError} The broker is away, does not answer, or refuses it.
   */
  async remove(topic: string): Promise<void> {
    await this.#commands.send(["DEL", ...this.#keysOf(topic)]);
  }

  /** One slot of a cluster has them all. */
  #keysOf(topic: string): string[] {
    return ["s", "m", "i"].map((part) => `${this.#names.history}{${topic}}:${part}`);
  }

  async #run<Answer>(
    script: string,
    topic: string,
    { ttl }: Keep,
    args: readonly (string | Buffer)[],
  ): Promise<Answer> {
    const keys = this.#keysOf(topic);
    const fresh = crypto.randomUUID().slice(0, 8);
    try {
      return await this.#commands.run(async (client) => {
        const known = [await this.#runOf(client), fresh, String(Math.ceil(ttl))];
        const command = ["EVAL", script, String(keys.length), ...keys, ...known, ...args];
        return await client.sendCommand<Answer>(command, BYTES);
      });
    } catch (error) {
      throw isRefused(error) ? this.#withRights(error) : error;
    }
  }

  /** A connection leads to one server for its whole life. */
  async #runOf(client: Client): Promise<string> {
    let run = this.#runs.get(client);
    if (run === undefined) {
      run = readRun(client);
      this.#runs.set(client, run);
      run.catch(() => this.#runs.delete(client));
    }
    return await run;
  }

  /** The same error, with what the user needs. */
  #withRights(error: BackplaneError): BackplaneError {
    const message = `${error.message}; for the history of rooms ${this.#names.grants.history}`;
    return new BackplaneError(message, { unknown: false, cause: error });
  }
}

/** What a published message says; undefined where it was not kept. */
export function readKept(
  message: Buffer,
): { readonly at: Position; readonly messages: readonly Uint8Array[] } | undefined {
  if (!message.subarray(0, MARK.length).equals(MARK)) return undefined;
  let at = MARK.length;
  const next = (): string | undefined => {
    const end = message.indexOf(":", at);
    if (end < 0) return undefined;
    const text = message.toString("latin1", at, end);
    at = end + 1;
    return text;
  };
  const [epoch, offset] = [next(), Number(next())];
  const messages: Uint8Array[] = [];
  while (at < message.length) {
    const length = Number(next());
    if (!Number.isSafeInteger(length) || at + length > message.length) return undefined;
    messages.push(message.subarray(at, at + length));
    at += length;
  }
  if (epoch === undefined || !Number.isSafeInteger(offset)) return undefined;
  return { at: { epoch, offset }, messages };
}

async function readRun(client: Client): Promise<string> {
  const info = String(await client.sendCommand(["INFO", "server"]));
  const run = /^run_id:([0-9a-f]{8,64})\s*$/m.exec(info)?.[1];
  if (run === undefined) throw new Error("the server does not tell its run_id");
  return run;
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

function isRefused(error: unknown): error is BackplaneError {
  return error instanceof BackplaneError && isForbidden(error);
}
