/** The alerts and the dashboard of docs/monitoring, as the tests read them. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

/** The folder of both. */
export const MONITORING: string = fileURLToPath(
  new URL("../../docs/monitoring/", import.meta.url),
);

/** A rule. */
export interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook: string };
}

/** A panel, or the heading of a row. */
export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly type: string; readonly uid: string };
  readonly gridPos: Readonly<Record<"h" | "w" | "x" | "y", number>>;
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly targets?: readonly {
    readonly refId: string;
    readonly expr: string;
    readonly legendFormat: string;
  }[];
}

/** The dashboard. */
export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string }[];
  };
  readonly panels: readonly Panel[];
}

/** The text of a file of the folder. */
export function readMonitoring(name: string): Promise<string> {
  return readFile(`${MONITORING}${name}`, "utf8");
}

/** All rules. */
export async function readAlerts(): Promise<readonly Alert[]> {
  const { groups } = parse(await readMonitoring("alerts.yml")) as {
    readonly groups: readonly { readonly rules: readonly Alert[] }[];
  };
  return groups.flatMap(({ rules }) => rules);
}

/** The dashboard. */
export async function readDashboard(): Promise<Dashboard> {
  return JSON.parse(await readMonitoring("dashboard.json"));
}
