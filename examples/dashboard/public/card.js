// The card of a metric: a reading and its time, and a chart of all readings. The reading is the newest
// one, or the one in the chart that the pointer or the arrow keys have chosen.

import { element } from "./page.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 100;
const HEIGHT = 40;
const number = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });
const short = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 2 });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

/** Makes the card; `draw` shows readings, oldest first. */
export function createCard(metric) {
  const name = metric.replaceAll("_", " ");
  const [value, unit, highest, lowest] = ["strong", "span", "span", "span"].map((tag) =>
    element(tag)
  );
  const [time, first, last] = [1, 2, 3].map(() => element("time"));
  const [area, line, upright] = ["polygon", "polyline", "line"].map((tag) =>
    document.createElementNS(SVG, tag)
  );
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  picture.setAttribute("preserveAspectRatio", "none");
  picture.setAttribute("aria-hidden", "true");
  picture.append(area, upright, line);
  const mark = element("span", "", "mark");

  // A slider over the picture: the keyboard, a finger and a screen reader know how to use one.
  const choice = element("input");
  Object.assign(choice, { type: "range", min: 0, ariaLabel: `Reading of ${name}` });
  const plot = element("div", [picture, mark, choice], "plot");

  const item = element("li", [
    element("div", [element("h3", name), time], "row apart"),
    element("p", [value, " ", unit], "figure"),
    element("div", [plot, element("p", [highest, lowest], "values")], "chart"),
    element("p", [first, last], "times"),
  ], "panel metric");
  item.dataset.metric = metric;

  let readings = [];
  let points = [];
  /** The index of the chosen reading; undefined for the newest. */
  let chosen;

  function showReading() {
    const index = Math.min(chosen ?? Infinity, readings.length - 1);
    const reading = readings[index];
    value.textContent = number.format(reading.value);
    unit.textContent = reading.unit;
    setTime(time, reading.at);
    choice.value = index;
    choice.ariaValueText = `${number.format(reading.value)} ${reading.unit}, ${time.textContent}`;
    const { x, y } = points[index];
    for (const [name, at] of Object.entries({ x1: x, x2: x, y1: 0, y2: HEIGHT })) {
      upright.setAttribute(name, at);
    }
    mark.style.left = `${100 * x / WIDTH}%`;
    mark.style.top = `${100 * y / HEIGHT}%`;
    item.classList.toggle("chosen", chosen !== undefined);
  }

  function choose(index) {
    chosen = index;
    showReading();
  }

  choice.addEventListener("input", () => choose(choice.valueAsNumber));
  choice.addEventListener("blur", () => choose());
  plot.addEventListener("pointerleave", () => choose());
  plot.addEventListener("pointermove", ({ clientX }) => {
    const { left, width } = plot.getBoundingClientRect();
    choose(nearest(points, WIDTH * (clientX - left) / width));
  });

  return {
    item,
    draw(shown) {
      // The chosen reading stays chosen while older ones go.
      const id = readings[chosen]?.id;
      readings = shown;
      if (id !== undefined) chosen = Math.max(0, readings.findIndex((each) => each.id === id));
      const values = readings.map((reading) => reading.value);
      const [low, high] = [Math.min(...values), Math.max(...values)];
      points = pointsOf(readings, low, high);
      const path = points.map(({ x, y }) => `${x},${y}`);
      line.setAttribute("points", path.length === 1 ? `0,${points[0].y} ${path}` : path.join(" "));
      area.setAttribute("points", `0,${HEIGHT} ${line.getAttribute("points")} ${WIDTH},${HEIGHT}`);
      choice.max = readings.length - 1;
      highest.textContent = `max ${limit(high)}`;
      lowest.textContent = `min ${limit(low)}`;
      setTime(first, readings[0].at);
      setTime(last, readings.at(-1).at);
      showReading();
    },
  };
}

/** Where each reading is. Equal values are in the middle, and a single reading is on the right. */
function pointsOf(readings, low, high) {
  const times = readings.map(({ at }) => Date.parse(at));
  const [start, end] = [times[0], times.at(-1)];
  return readings.map(({ value }, index) => ({
    x: end === start ? WIDTH : round(WIDTH * (times[index] - start) / (end - start)),
    y: high === low ? HEIGHT / 2 : round(HEIGHT - 2 - (HEIGHT - 4) * (value - low) / (high - low)),
  }));
}

/** A number that fits beside the chart. */
function limit(value) {
  return (Math.abs(value) < 100_000 ? number : short).format(value);
}

function nearest(points, x) {
  const distances = points.map((point) => Math.abs(point.x - x));
  return distances.indexOf(Math.min(...distances));
}

function setTime(time, at) {
  time.textContent = clock.format(new Date(at));
  time.dateTime = at;
}

function round(value) {
  return Math.round(100 * value) / 100;
}
