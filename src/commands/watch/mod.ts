/** `weir run --watch`: restarts a configuration when its files change. */
import { loadConfig } from "../../runtime/load.ts";
import type { Model } from "../../model/mod.ts";
import { PluginReloader } from "../../plugins/mod.ts";
import { ConfigPathError, hostOptions, readConfigFiles } from "../../server/files.ts";
import type { Service } from "../../server/mod.ts";
import { type RunCommand, UsageError } from "../arguments.ts";
import { commandOptions } from "../load.ts";
import { printError } from "../output.ts";
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
 * Runs until the signal. The problems of a configuration that cannot run are printed; what runs is
 * left alone until the next change. The environment, with `--env-file`, stays that of the start.
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
  const plugins = new PluginReloader();
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
      const model = await load(reading, included, plugins);
      refuseUnknownPorts(ports, model);
      printWarnings(model);
      const former = service;
      service = undefined;
      await former?.close();
      if (ending.signal.aborted) break;
      const free = withAnyPort(model, ports);
      service = await serve(model, { ports: { ...ports, ...pick(taken, free) } });
      taken = { ...taken, ...pick(service.ports, free) };
      title = titleOf(model);
      announce(title, happened, startedAt, service);
      happened = "restarted";
    } catch (error) {
      if (isFirst && (error instanceof ConfigPathError || error instanceof UsageError)) throw error;
      printError(error);
      const state = service === undefined
        ? "nothing is running"
        : "the previous configuration keeps running";
      console.error(`${state}; waiting for the next change`);
    }
    isFirst = false;
  }
  await ended;
  console.log(`${title} is shutting down`);
  await service?.close();
}

/** Files that cannot be read now may be there the next time. */
async function read(paths: readonly string[]): Promise<Reading> {
  try {
    return await readConfigFiles(...paths);
  } catch (error) {
    if (error instanceof ConfigPathError) return error;
    // A folder can be deleted while it is read.
    return new ConfigPathError((error as Error).message, { cause: error });
  }
}

/** Loads what was read, and keeps in `included` the files that the configuration reads. */
async function load(
  reading: Reading,
  included: Map<string, string | undefined>,
  plugins: PluginReloader,
): Promise<Model> {
  if (reading instanceof Error) throw reading;
  included.clear();
  plugins.begin();
  try {
    return await loadConfig(reading, {
      ...commandOptions(),
      async readFile(path) {
        included.set(path, undefined);
        const text = await hostOptions.readFile(path);
        included.set(path, text);
        return text;
      },
      importPlugin: plugins.importPlugin,
    });
  } finally {
    for (const [path, text] of plugins.files) included.set(path, text);
  }
}

function readOrNothing(path: string): Promise<string | undefined> {
  return Promise.resolve(hostOptions.readFile(path)).catch(() => undefined);
}

/** The connectors with any free port. They keep the first one, so that clients can reconnect. */
function withAnyPort({ connectors }: Model, ports: Ports): readonly string[] {
  return [...connectors.values()].filter(({ name, options }) => {
    const { port } = options as { readonly port?: unknown };
    return (ports[name] ?? port) === 0;
  }).map(({ name }) => name);
}

function pick(ports: Ports, names: readonly string[]): Ports {
  const known = names.filter((name) => Object.hasOwn(ports, name));
  return Object.fromEntries(known.map((name) => [name, ports[name]]));
}
