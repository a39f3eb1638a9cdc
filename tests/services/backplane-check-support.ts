/** What `weir check --connect` says of a backplane, for tests of its rights. */
import assert from "node:assert/strict";
import { probeConnectors, type ProbeResult } from "../../src/commands/probing.ts";
import { loadConfig } from "../../src/runtime/load.ts";

/** What a service asks of its backplane beside messages. */
export interface Uses {
  readonly dedupe?: boolean;
  readonly history?: boolean;
}

/** The configuration of a service whose backplane has these lines. */
export function linkedConfig(service: string, bus: readonly string[], uses: Uses = {}): string {
  const room = 'room "r" {\n history {\n size = 10\n ttl = "1m"\n }\n }';
  const dedupe = 'dedupe {\n key = "input.id"\n ttl = "1m"\n }';
  return `
    service {
      name = ${JSON.stringify(service)}
    }
    connector "bus" {
      type = "mq"
      ${bus.join("\n")}
    }
    connector "ws" {
      type      = "websocket"
      port      = 0
      backplane = "bus"
      ${uses.history ? room : ""}
    }
    flow "say" {
      from {
        connector = "ws"
        operation = "say"
      }
      ${uses.dedupe ? dedupe : ""}
      to {
        connector = "ws"
        operation = "broadcast"
      }
    }`;
}

/** What it says of the backplane. */
export async function probeBus(config: string): Promise<ProbeResult> {
  const { results, problems } = await probeConnectors(await loadConfig(config));
  assert.deepEqual(problems, []);
  assert.equal(results.length, 1, JSON.stringify(results));
  return results[0];
}

/** Expects that it links the instances. */
export async function linksInstances(config: string): Promise<void> {
  const { found, error } = await probeBus(config);
  assert.equal(error, undefined);
  assert.match(found ?? "", / answers.*; it links the instances of the service "[^"]+"$/);
}

/** Expects that it refuses something; returns the words. */
export async function refusesInstances(config: string): Promise<string> {
  const { found, error } = await probeBus(config);
  assert.equal(found, undefined);
  return error ?? "";
}
