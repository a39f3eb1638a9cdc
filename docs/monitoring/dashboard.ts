/**
 * Writes dashboard.json, a dashboard for Grafana. With `--check` it writes nothing and fails if the
 * file is stale.
 */
import { formatted, keepFile } from "../formatted.ts";
import { brokers, databases, websocket } from "./connector-rows.ts";
import { choice, place } from "./panels.ts";
import { flows, health, processes } from "./service-rows.ts";

const dashboard = {
  uid: "weir",
  title: "Weir",
  description: "Flows, clients, brokers, databases and processes of Weir services.",
  tags: ["weir"],
  editable: true,
  graphTooltip: 1,
  refresh: "30s",
  schemaVersion: 38,
  time: { from: "now-1h", to: "now" },
  timezone: "",
  version: 1,
  annotations: { list: [] },
  links: [],
  templating: {
    list: [
      { name: "datasource", label: "Data source", type: "datasource", query: "prometheus" },
      choice("job", "Service", "weir_build_info", false),
      choice("instance", "Instance", 'weir_build_info{job=~"$job"}', true),
    ],
  },
  panels: place([health, flows, websocket, brokers, databases, processes]),
};

await keepFile(
  new URL("./dashboard.json", import.meta.url),
  await formatted(JSON.stringify(dashboard), "json"),
  "docs/monitoring/dashboard.json",
);
