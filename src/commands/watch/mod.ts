/** `weir run --watch`: starts a configuration again whenever its files change. */
import { loadConfig } from "../../runtime/load.ts";
import type { Model } from "../../model/mod.ts";
import { ConfigPathError, hostOptions, readConfigFiles } from "../../server/files.ts";
import type { Service } from "../../server/mod.ts";
import { type RunCommand, UsageError } from "../arguments.ts";
import { diskCache } from "../disk-cache.ts";
import { explain } from "../failure.ts";
import {
  announce,
  type Ports,
  printWarnings,
  refuseUnknownPorts,
  type Serve,
  titleOf,
} from "../start.ts";
import { changes, type Reading } from "./changes.ts";

/**
 * Runs until the signal. What cannot run is explained and leaves what runs as it is; then the next
 * change is tried. The environment, that of `--env-file` too, stays what it was at the start.
 *
 * @throws {ConfigPathError} There is no configuration at the start.
 * @throws {UsageError} A `--port` names no connector at the start.
 */
export async function watch(
  { paths, ports }: RunCommand,
  serve: Serve,
  signal: Promise<void>,
): Promise<void> {
  const ending = new AbortController();
  const ended = signal.then(() => ending.abort());
  const included = new Map<string, string | undefined>();
  const readings = changes({
    read: () => read(paths),
    included,
    readFile: readOrNothing,
    signal: ending.signal,
  });
  let service: Service | undefined;
  let taken: Ports = {};
  let title = "weir";
  let happened = "is ready";
  let isFirst = true;
  for await (const reading of readings) {
    const startedAt = performance.now();
    try {
      const model = await load(reading, included);
      refuseUnknownPorts(ports, model);
      printWarnings(model);
      const former = service;
      service = undefined;
      await former?.close();
      if (ending.signal.aborted) break;
      const free = askingForAny(model, ports);
      service = await serve(model, { ports: { ...ports, ...pick(taken, free) } });
      taken = { ...taken, ...pick(service.ports, free) };
      title = titleOf(model);
      announce(title, happened, startedAt, service);
      happened = "has started again";
    } catch (error) {
      if (isFirst && (error instanceof ConfigPathError || error instanceof UsageError)) throw error;
      explain(error);
      const state = service === undefined ? "nothing runs" : "what ran before goes on";
      console.error(`${state}; weir waits for the next change`);
    }
    isFirst = false;
  }
  await ended;
  console.log(`${title} is shutting down`);
  await service?.close();
}

/** Files that cannot be read now may be back at the next look. */
async function read(paths: readonly string[]): Promise<Reading> {
  try {
    return await readConfigFiles(...paths);
  } catch (error) {
    if (error instanceof ConfigPathError) return error;
    // A folder can go while it is being read.
    return new ConfigPathError((error as Error).message, { cause: error });
  }
}

/** Loads what was read, and notes in `included` what else the configuration takes in. */
async function load(reading: Reading, included: Map<string, string | undefined>): Promise<Model> {
  if (reading instanceof Error) throw reading;
  included.clear();
  return await loadConfig(reading, {
    ...hostOptions,
    cache: diskCache(),
    embedded: false,
    async readFile(path) {
      included.set(path, undefined);
      const text = await hostOptions.readFile(path);
      included.set(path, text);
      return text;
    },
  });
}

function readOrNothing(path: string): Promise<string | undefined> {
  return Promise.resolve(hostOptions.readFile(path)).catch(() => undefined);
}

/** The connectors that take any free port; they keep the first, since clients come back to it. */
function askingForAny({ connectors }: Model, ports: Ports): readonly string[] {
  return [...connectors.values()].filter(({ name, options }) => {
    const { port } = options as { readonly port?: unknown };
    return (ports[name] ?? port) === 0;
  }).map(({ name }) => name);
}

function pick(ports: Ports, names: readonly string[]): Ports {
  const known = names.filter((name) => Object.hasOwn(ports, name));
  return Object.fromEntries(known.map((name) => [name, ports[name]]));
}
