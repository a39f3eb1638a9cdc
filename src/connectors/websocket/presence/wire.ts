/** What instances tell each other about the members of a room, as JSON. What comes in is not trusted. */
import { nameProblem } from "../../../access/names.ts";
import { isObject } from "../../../base/json.ts";
import { isLongerThan } from "../../../base/text.ts";
import { Nonsense } from "../instances/wire.ts";
import { roomProblem } from "../protocol.ts";
import type { Identity, Member, Part } from "./member.ts";
import { MOST_BYTES } from "./values.ts";

/** A text of more characters is split: brokers limit the size of a message. */
const MAX_LENGTH = 200_000;

/** What is told of one member. */
export interface Entry {
  readonly identity: Identity;
  /** Its connections in the instance that tells; undefined where there are none. */
  readonly part: Part | undefined;
  /** How many of them are new. */
  readonly came: number;
}

/** Which part of a whole list a message has: without one, it tells what has changed. */
export interface ListPart {
  readonly first: boolean;
  readonly last: boolean;
}

/** What an instance tells about a room, or asks for. */
export interface Told {
  readonly room: string;
  readonly entries: readonly Entry[];
  readonly list: ListPart | undefined;
  /** Whether it asks for the whole list; `always` where it asks for an empty one, too. */
  readonly asks: false | Asks;
}

/** For which lists an instance asks. */
export type Asks = "some" | "always";

/** Messages with what has changed. */
export function encodeChanges(
  room: string,
  members: Iterable<readonly [member: Pick<Member, "identity" | "ownPart">, came: number]>,
): readonly string[] {
  const entries = [...members].map(([member, came]) => entryText(member, came));
  return chunksOf(entries).map((chunk) => `{"room":${JSON.stringify(room)},"members":[${chunk}]}`);
}

/** Messages with all members that have connections here. */
export function encodeList(room: string, members: readonly Member[]): readonly string[] {
  const chunks = chunksOf(members.map((member) => entryText(member, 0)));
  if (chunks.length === 0) chunks.push([]);
  return chunks.map((chunk, i) => {
    const list = JSON.stringify({ first: i === 0, last: i === chunks.length - 1 });
    return `{"room":${JSON.stringify(room)},"list":${list},"members":[${chunk}]}`;
  });
}

/** Asks for the whole list. */
export function encodeQuestion(room: string, asks: Asks): string {
  return JSON.stringify({ room, asks });
}

/**
 * Decodes any of these.
 *
 * @throws {Nonsense} It is none.
 */
export function decodeTold(text: string): Told {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Nonsense("what it tells of presence is not JSON", { cause });
  }
  if (!isObject(value)) fail("it is no object");
  const { room, members = [], list, asks = false } = value;
  if (roomProblem(room) !== undefined) fail("the room is malformed");
  if (!Array.isArray(members)) fail("the members are no list");
  if (asks !== false && asks !== "some" && asks !== "always") fail("the question is malformed");
  if (list !== undefined && !isListPart(list)) fail("the list is malformed");
  return { room: room as string, entries: members.map(entryOf), list, asks };
}

function chunksOf(entries: readonly string[]): string[][] {
  const chunks: string[][] = [];
  let length = Infinity;
  for (const entry of entries) {
    length += entry.length;
    if (length > MAX_LENGTH) {
      chunks.push([]);
      length = entry.length;
    }
    chunks[chunks.length - 1].push(entry);
  }
  return chunks;
}

function entryText(member: Pick<Member, "identity" | "ownPart">, came: number): string {
  const part = member.ownPart();
  const { identity } = member;
  if (part === undefined) return JSON.stringify(identity);
  const { live, lost, at, dataAt, info, data } = part;
  const counts = JSON.stringify({ ...identity, live, lost, at, came, dataAt });
  const texts = `${info === undefined ? "" : `,"info":${info}`}${
    data === undefined ? "" : `,"data":${data}`
  }`;
  return `${counts.slice(0, -1)}${texts}}`;
}

function entryOf(value: unknown): Entry {
  if (!isObject(value)) fail("a member is no object");
  const { live, lost, at, came = 0, dataAt } = value;
  const identity = identityOf(value);
  if (live === undefined) return { identity, part: undefined, came: 0 };
  if (!isCount(live) || !isCount(lost) || !isCount(came)) {
    fail("a number of connections is malformed");
  }
  if (!isTime(at) || !isTime(dataAt)) fail("a time is malformed");
  const part = { live, lost, at, dataAt, info: textOf(value.info), data: textOf(value.data) };
  return { identity, part, came };
}

function identityOf({ user, key }: Readonly<Record<string, unknown>>): Identity {
  if (typeof user === "string" && key === undefined && nameProblem("user", user) === undefined) {
    return { user };
  }
  if (typeof key === "string" && user === undefined && nameProblem("key", key) === undefined) {
    return { key };
  }
  fail("a member is nobody");
}

/** The JSON of an info or of data, of no more than they may have. */
function textOf(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const text = JSON.stringify(value);
  // What had 1 KB where it was written has it here, but for escapes that JSON writes in two ways.
  if (isLongerThan(text, 2 * MOST_BYTES)) fail("an info is too large");
  return text;
}

function isListPart(value: unknown): value is ListPart {
  return isObject(value) && typeof value.first === "boolean" && typeof value.last === "boolean";
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= 1e9;
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

function fail(problem: string): never {
  throw new Nonsense(`what it tells of presence is malformed: ${problem}`);
}
