/** What `weir check --connect` asks of NATS. It declares nothing. */
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { ConnectorError } from "../../../../base/errors.ts";
import { quoted } from "../../../../base/shown.ts";
import type { ProbeRequest, ProbeSource } from "../../../../contract/probe.ts";
import type { BrokerContext } from "../../../../messaging/mod.ts";
import { NatsLink, PATIENCE } from "./connection.ts";
import { describe, isPermanent } from "./errors.ts";
import { readEntry } from "./login.ts";
import type { NatsSettings, StreamSettings } from "./settings.ts";
import { compileSubject, subjectsMeet } from "./subjects.ts";
import { found, judged } from "./topology.ts";

/** The blocks that use the connector. */
export interface Uses {
  readonly requests: readonly ProbeRequest[];
  readonly sources: readonly ProbeSource[];
}

/**
 * Connects, looks and disconnects.
 *
 * @throws {ConnectorError} The broker is away, refuses the credentials, or lacks JetStream.
 */
export async function probe(
  settings: NatsSettings,
  { name, logger }: BrokerContext,
  uses: Uses,
): Promise<string> {
  const fail = (message: string, cause?: unknown): never => {
    throw new ConnectorError(name, message, { cause });
  };
  const entry = await readEntry(settings, fail);
  const link = new NatsLink({ servers: settings.servers, name: `weir ${name}`, entry, logger });
  try {
    const failure = await link.opened;
    if (failure !== undefined) {
      const verdict = isPermanent(failure) ? "refuses" : "is away";
      fail(`the broker ${link.where} ${verdict}: ${describe(failure)}`, failure);
    }
    const answers = `the broker ${link.where} answers`;
    const { stream } = settings;
    if (stream === undefined) return answers;
    const client = link.need();
    const manager = await jetstreamManager(client, { checkAPI: false, timeout: PATIENCE });
    try {
      return `${answers}; ${await look(manager, stream, uses)}`;
    } catch (error) {
      const cause = judged(error, client.info?.jetstream === true);
      return fail(`the broker ${link.where}: ${describe(cause)}`, cause);
    }
  } finally {
    await link.close();
  }
}

async function look(
  manager: JetStreamManager,
  { name, subjects }: StreamSettings,
  uses: Uses,
): Promise<string> {
  const info = await found(manager.streams.info(name));
  // At a start it gets what is written.
  const has = subjects ?? info?.config.subjects;
  if (has !== undefined) await compare({ name, subjects: has }, manager, uses);
  if (info !== undefined) return `the stream ${name} has ${info.state.messages} messages`;
  return subjects === undefined
    ? `the stream ${name} does not exist; it is not ready before something makes it: another ` +
      "connector, whose dead letters it keeps, or this one if its subjects are written"
    : `the stream ${name} will be made`;
}

/** Reports operations and targets that are no subjects of the stream. */
async function compare(
  { name, subjects }: { readonly name: string; readonly subjects: readonly string[] },
  manager: JetStreamManager,
  { requests, sources }: Uses,
): Promise<void> {
  for (const { operation, report } of sources) {
    if (operation === undefined || subjects.some((subject) => subjectsMeet(subject, operation))) {
      continue;
    }
    report({
      code: "invalid-operation",
      attribute: "operation",
      message: `has ${quoted(operation)}, which is not a subject of the stream ${quoted(name)}`,
      hint: `it has ${subjects.join(", ") || "none"}`,
    });
  }
  for (const { target, report } of requests) {
    if (target === undefined || subjects.some((subject) => compileSubject(subject)(target))) {
      continue;
    }
    if (await found(manager.streams.find(target)) !== undefined) continue;
    report({
      code: "invalid-value",
      attribute: "target",
      message: `has the target ${quoted(target)}, which no stream takes`,
      hint: `add it to the subjects of the stream ${quoted(name)}`,
    });
  }
}
