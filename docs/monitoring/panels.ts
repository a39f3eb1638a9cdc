/** What a dashboard of Grafana is made of, as far as `dashboard.ts` needs it. */

/** The units of Grafana, by their ids. */
export type Unit =
  | "bytes"
  | "bool_yes_no"
  | "Bps"
  | "none"
  | "ops"
  | "percentunit"
  | "reqps"
  | "s"
  | "short";

/** A query, and the name of its series, such as `{{flow}}`. */
export type Query = readonly [expr: string, legend: string];

/** A panel before it has its place. */
export interface Panel {
  readonly type: "state-timeline" | "stat" | "timeseries";
  readonly title: string;
  readonly description: string;
  readonly unit: Unit;
  readonly queries: readonly Query[];
  /** Of 24 columns. */
  readonly width: number;
  /** What one of these panels looks like. */
  readonly look: Look;
}

/** What differs from the defaults of Grafana. */
interface Look {
  readonly defaults: Readonly<Record<string, unknown>>;
  readonly options: Readonly<Record<string, unknown>>;
}

/** Panels under a heading. */
export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

const DATASOURCE = { type: "prometheus", uid: "${datasource}" };
const HEIGHTS = { "state-timeline": 7, stat: 4, timeseries: 7 } as const;
const COLUMNS = 24;
const LEGEND = { calcs: [], displayMode: "list", placement: "bottom" };
const TOOLTIP = { mode: "multi", sort: "desc" };

/** Lines over time. */
export function lines(
  title: string,
  unit: Unit,
  description: string,
  ...queries: readonly Query[]
): Panel {
  const look = {
    defaults: { min: 0, custom: { fillOpacity: 10, showPoints: "never", spanNulls: false } },
    options: {
      legend: { ...LEGEND, showLegend: true },
      tooltip: TOOLTIP,
    },
  };
  return { type: "timeseries", title, description, unit, queries, width: 8, look };
}

/** One number of now. With `words`, it shows the names of its series instead. */
export function number(
  title: string,
  unit: Unit,
  description: string,
  query: Query,
  { steps, words = false }: { readonly steps?: readonly Step[]; readonly words?: boolean } = {},
): Panel {
  const look = {
    defaults: {
      color: { mode: "thresholds" },
      thresholds: { mode: "absolute", steps: steps ?? [{ color: "text", value: null }] },
    },
    options: {
      colorMode: "value",
      graphMode: "none",
      justifyMode: "auto",
      orientation: "auto",
      showPercentChange: false,
      reduceOptions: { calcs: ["lastNotNull"], fields: "", values: false },
      textMode: words ? "name" : "value",
      wideLayout: true,
    },
  };
  return { type: "stat", title, description, unit, queries: [query], width: 4, look };
}

/** A color from a value on; null is the lowest. */
interface Step {
  readonly color: string;
  readonly value: number | null;
}

/** Bars over time: 1 is good, 0 is bad. */
export function states(
  title: string,
  description: string,
  ...queries: readonly Query[]
): Panel {
  const state = (text: string, color: string) => ({ text, color });
  const look = {
    defaults: {
      color: { mode: "thresholds" },
      mappings: [{
        type: "value",
        options: { 0: state("no", "red"), 1: state("yes", "green") },
      }],
      thresholds: {
        mode: "absolute",
        steps: [{ color: "red", value: null }, { color: "green", value: 1 }],
      },
    },
    options: {
      legend: { ...LEGEND, showLegend: false },
      mergeValues: true,
      rowHeight: 0.9,
      showValue: "never",
      tooltip: TOOLTIP,
    },
  };
  return {
    type: "state-timeline",
    title,
    description,
    unit: "bool_yes_no",
    queries,
    width: 12,
    look,
  };
}

/** A panel with another width. */
export function wide(width: number, panel: Panel): Panel {
  return { ...panel, width };
}

/** The panels of all rows, as Grafana stores them: from left to right, and then below. */
export function place(rows: readonly Row[]): readonly unknown[] {
  const placed: unknown[] = [];
  let y = 0;
  for (const { title, panels } of rows) {
    const gridPos = { h: 1, w: COLUMNS, x: 0, y: y++ };
    placed.push({
      id: placed.length + 1,
      type: "row",
      title,
      collapsed: false,
      gridPos,
      panels: [],
    });
    let x = 0;
    let height = 0;
    for (const panel of panels) {
      if (x + panel.width > COLUMNS) {
        y += height;
        [x, height] = [0, 0];
      }
      const h = HEIGHTS[panel.type];
      placed.push(stored(panel, placed.length + 1, { h, w: panel.width, x, y }));
      x += panel.width;
      height = Math.max(height, h);
    }
    y += height;
  }
  return placed;
}

function stored(panel: Panel, id: number, gridPos: unknown): unknown {
  const { type, title, description, unit, queries, look } = panel;
  const instant = type === "stat";
  return {
    id,
    type,
    title,
    description,
    datasource: DATASOURCE,
    gridPos,
    fieldConfig: { defaults: { unit, ...look.defaults }, overrides: [] },
    options: look.options,
    targets: queries.map(([expr, legendFormat], index) => ({
      refId: String.fromCharCode("A".charCodeAt(0) + index),
      datasource: DATASOURCE,
      editorMode: "code",
      expr,
      instant,
      legendFormat,
      range: !instant,
    })),
  };
}

/** A list to choose from: the values of a label. */
export function choice(name: string, label: string, metric: string, multi: boolean): unknown {
  const query = `label_values(${metric}, ${name})`;
  return {
    name,
    label,
    type: "query",
    datasource: DATASOURCE,
    query: { query, refId: `Prometheus-${name}` },
    refresh: 2,
    sort: 1,
    multi,
    includeAll: multi,
    ...(multi && { allValue: ".*", current: { selected: true, text: ["All"], value: ["$__all"] } }),
  };
}
