/** `weir run --watch`: restarts a configuration when its files change. */
import { PluginReloader } from "../../plugins/mod.ts";
import { ConfigPathError } from "../../server/files.ts";
import { type RunCommand, UsageError } from "../arguments.ts";
import { EnvFileLoader } from "../env-file.ts";
import {
  printWarnings,
  refuseUnknownPorts,
  type Serve,
  titleOf,
  warningsOfStart,
} from "../start.ts";
import { loadCandidate } from "./candidate.ts";
import { changes, WatchedFiles } from "./changes.ts";
import { printFailure, Running } from "./running.ts";

/**
 * Runs until the signal. What runs is replaced only by a configuration that can start; the problems of
 * any other are printed.
 *
 * @throws {ConfigPathError | UsageError} At the start there is no configuration or no file of
 * variables, or a `--port` names no connector.
 */
export async function watch(
  { paths, ports, adminPort, envFile }: RunCommand,
  serve: Serve,
  signal: Promise<void>,
): Promise<void> {
  const ending = new AbortController();
  const ended = signal.then(() => ending.abort());
  const files = new WatchedFiles();
  const variables = envFile === undefined ? undefined : new EnvFileLoader(envFile);
  const plugins = new PluginReloader();
  const running = new Running(serve, { ports, adminPort }, ending.signal);
  const takeUp = async (): Promise<void> => {
    const startedAt = performance.now();
    const candidate = await loadCandidate(paths, { files, variables, plugins });
    if (ending.signal.aborted) return;
    refuseUnknownPorts({ ports, adminPort }, candidate.model);
    printWarnings(warningsOfStart(candidate.model));
    await running.become(candidate, startedAt);
  };
  let title = "weir";
  let isFirst = true;
  for await (const _ of changes({ files, signal: ending.signal })) {
    try {
      await running.untilSignal(takeUp());
    } catch (error) {
      if (isFirst && (error instanceof ConfigPathError || error instanceof UsageError)) throw error;
      if (ending.signal.aborted) break;
      printFailure(error);
      console.error(`${running.state}; waiting for the next change`);
    }
    title = running.model === undefined ? title : titleOf(running.model);
    isFirst = false;
  }
  await ended;
  console.log(`${title} is shutting down`);
  await running.close();
}
