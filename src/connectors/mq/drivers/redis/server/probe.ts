/** What `weir check --connect` finds out about a server. */
import { ConnectorError } from "../../../../../base/errors.ts";
import { quoted } from "../../../../../base/shown.ts";
import type { ProbeRequest, ProbeSource } from "../../../../../contract/probe.ts";
import { type Address, describeAddress, type Settings } from "../settings.ts";
import type { Client } from "./client.ts";
import { connect } from "./connecting.ts";
import { describe, isAnswer, isFinal } from "./errors.ts";

/**
 * Connects, and looks whether the keys that flows name are streams. Returns what it found.
 *
 * @throws {ConnectorError} The server is away or refuses the connection.
 */
export async function probe(
  name: string,
  { address, settings }: { readonly address: Address; readonly settings: Settings },
  requests: readonly ProbeRequest[],
  sources: readonly ProbeSource[],
): Promise<string> {
  const where = describeAddress(address);
  try {
    const { client, server } = await connect(address, `weir:${name}`, new AbortController().signal);
    try {
      const notes = await missingStreams(client, settings, requests, sources);
      return [`the broker ${where} answers: ${server}`, ...notes].join("; ");
    } finally {
      client.destroy();
    }
  } catch (cause) {
    const verdict = isFinal(cause) ? "refuses" : "is away";
    throw new ConnectorError(name, `the broker ${where} ${verdict}: ${describe(cause)}`, { cause });
  }
}

/** Reports keys that are no streams; returns notes of those that are not there. */
async function missingStreams(
  client: Client,
  { group, mode }: Settings,
  requests: readonly ProbeRequest[],
  sources: readonly ProbeSource[],
): Promise<readonly string[]> {
  const read = group === undefined
    ? []
    : sources.map((source) => ({ stream: source.operation, attribute: "operation", source }));
  const written = mode === "channel"
    ? []
    : requests.map((source) => ({ stream: source.target, attribute: "target", source }));
  const notes = new Set<string>();
  for (const { stream, attribute, source } of [...read, ...written]) {
    const type = stream === undefined ? undefined : await typeOf(client, stream);
    if (type === "none") notes.add(`the stream ${quoted(stream)} is not there yet`);
    else if (type !== undefined && type !== "stream") {
      source.report({
        attribute,
        message: `names the key ${quoted(stream)}, which is a ${type} and no stream`,
      });
    }
  }
  return [...notes];
}

/** Undefined where this user may not ask. */
async function typeOf(client: Client, key: string): Promise<string | undefined> {
  try {
    return await client.sendCommand<string>(["TYPE", key]);
  } catch (error) {
    if (isAnswer(error)) return undefined;
    throw error;
  }
}
