/** Reads the JUnit reports of `deno test`, `bun test` and `node --test`. */

/** One test and its result. */
export interface TestCase {
  readonly name: string;
  /** The path of its file: relative to the working directory or absolute, as the runtime wrote it. */
  readonly file: string;
  readonly result: "passed" | "failed" | "skipped";
  /** Why it was skipped; empty where the report doesn't say. */
  readonly reason: string;
  /** Why it failed: the error with its stack; empty where it did not. */
  readonly failure: string;
}

/** The tests of one report, in its order. */
export function parseReport(xml: string): TestCase[] {
  const cases: TestCase[] = [];
  for (const [, attributeText, body = ""] of xml.matchAll(testcase)) {
    const attributes = parseAttributes(attributeText);
    const name = attributes.get("name") ?? "";
    const failure = failureElement.exec(body);
    const skipped = /<skipped\b([^>]*)>/.exec(body);
    const reason = skipped === null ? "" : parseAttributes(skipped[1]).get("message") ?? "";
    cases.push({
      name: name.replaceAll(/\s+/g, " "),
      // Deno writes it as the name of the class.
      file: attributes.get("file") ?? attributes.get("classname") ?? "",
      result: /<(?:failure|error)\b/.test(body)
        ? "failed"
        : skipped === null
        ? "passed"
        : "skipped",
      reason: reason === "true" ? "" : reason,
      failure: failure === null ? "" : describeFailure(failure[1], failure[2] ?? ""),
    });
  }
  return cases;
}

// Node leaves `>` as it is within attributes, so their quotes must be followed.
const testcase = /<testcase((?:\s+[\w:-]+="[^"]*")*)\s*(?:\/>|>([\s\S]*?)<\/testcase>)/g;

const failureElement =
  /<(?:failure|error)\b((?:\s+[\w:-]+="[^"]*")*)\s*(?:\/>|>([\s\S]*?)<\/(?:failure|error)>)/;

/** The error of a failed test, from the attributes and the text of its element. */
function describeFailure(attributeText: string, body: string): string {
  const text = unescape(body).trim();
  // Node wraps the error of the test in one of its own and repeats the message.
  const cause = /\n {2}cause: ([\s\S]*)\n\}$/.exec(text)?.[1].replaceAll("\n  ", "\n");
  if (cause !== undefined) return cause;
  return text === "" ? parseAttributes(attributeText).get("message") ?? "" : text;
}

function parseAttributes(text: string): Map<string, string> {
  const attributes = new Map<string, string>();
  for (const [, name, value] of text.matchAll(/([\w:-]+)="([^"]*)"/g)) {
    attributes.set(name, unescape(value));
  }
  return attributes;
}

const entities = new Map([["lt", "<"], ["gt", ">"], ["quot", '"'], ["apos", "'"], ["amp", "&"]]);

function unescape(text: string): string {
  return text.replaceAll(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (whole, decimal, hex, name) => {
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    return entities.get(name) ?? whole;
  });
}
