/** Reads the text format of Prometheus as far as `weir status` needs it. */

/** One line of the text: a metric with its labels and value. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const LINE = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})?[ \t]+(\S+)(?:[ \t]+-?\d+)?[ \t]*$/;
const ESCAPED = /\\(.)/g;

/** The samples of a text. Comments and lines that cannot be read are left out. */
export function parseSamples(text: string): readonly Sample[] {
  return text.split("\n").flatMap((line): Sample[] => {
    const [, name, labels = "", value] = LINE.exec(line) ?? [];
    if (name === undefined || Number.isNaN(Number(value))) return [];
    const pairs = [...labels.matchAll(/([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)",?/gy)].map((
      [, key, text],
    ) => [key, unescape(text)]);
    return [{ name, labels: Object.fromEntries(pairs), value: Number(value) }];
  });
}

function unescape(text: string): string {
  return text.replace(ESCAPED, (_, character: string) => character === "n" ? "\n" : character);
}
