/** Prometheus in tests: a server of a test's own, and its tool. */
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openAt, OwnServer, type Site, WITH_US } from "./own-server.ts";

/** A series in an answer to a query. */
export interface Found {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A server that scrapes what its configuration names. */
export class PrometheusServer extends OwnServer {
  protected readonly stopSignal = "SIGTERM";

  /** Starts one. `files` are those of its folder; `prometheus.yml` is its configuration. */
  static async open(files: Readonly<Record<string, string>>): Promise<PrometheusServer> {
    return await openAt("prometheus", async (site: Site) => {
      for (const [name, text] of Object.entries(files)) {
        await writeFile(join(site.folder, name), text);
      }
      return new PrometheusServer(site);
    });
  }

  /** The `data` of an answer of its API; fails with the error that the API tells. */
  async ask(path: string, parameters: Readonly<Record<string, string>> = {}): Promise<unknown> {
    const url = `http://127.0.0.1:${this.port}/api/v1/${path}?${new URLSearchParams(parameters)}`;
    const { status, data, error } = await (await fetch(url)).json();
    if (status !== "success") throw new Error(`${JSON.stringify(parameters)}: ${error}`);
    return data;
  }

  /** What a query finds now. */
  async query(query: string): Promise<readonly Found[]> {
    const { result } = await this.ask("query", { query }) as {
      readonly result: readonly {
        readonly metric: Found["metric"];
        readonly value: [number, string];
      }[];
    };
    return result.map(({ metric, value: [, value] }) => ({ metric, value: Number(value) }));
  }

  protected command(): readonly string[] {
    return [
      ...WITH_US,
      "/usr/bin/prometheus",
      `--config.file=${join(this.folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(this.folder, "data")}`,
      `--web.listen-address=127.0.0.1:${this.port}`,
    ];
  }

  protected ready(): Promise<boolean> {
    const url = `http://127.0.0.1:${this.port}/-/ready`;
    return fetch(url).then(async (response) => {
      await response.body?.cancel();
      return response.ok;
    }, () => false);
  }
}

/** What `promtool` did in a folder. */
export interface Said {
  readonly code: number;
  readonly output: string;
}

/** Runs `promtool` in a folder. */
export function promtoolIn(folder: string, ...args: readonly string[]): Promise<Said> {
  return new Promise((resolve) => {
    execFile("/usr/bin/promtool", args, { cwd: folder }, (error, stdout, stderr) => {
      const code = error === null ? 0 : Number(error.code ?? 1);
      resolve({ code, output: `${stdout}${stderr}` });
    });
  });
}
