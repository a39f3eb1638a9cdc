/** Rules about the type of a connector: its fields, its checks, its problems. */
import { ConfigError } from "../../../base/errors.ts";
import { isObject } from "../../../base/json.ts";
import { type ConnectorType, sourceOf } from "../../../contract/definition.ts";
import type { Problem } from "../../../base/problem.ts";
import type { Fields } from "../../../contract/fields.ts";
import { must, needs, Seen, show, textOf } from "../failure.ts";
import type { Rule } from "../rule.ts";
import type { Loaded, Subject } from "../subject.ts";

const NAME = /^[a-z][a-z0-9_]*$/;

/** Every field says what it is for. */
const fields: Rule = {
  name: "fields",
  title: "every attribute and block has a name, a kind of value and a description",
  async check(subject) {
    const definition = await subject.definition();
    must(isObject(definition.fields), "the type has no fields");
    describe(definition.fields, "");
    describe(definition.destination?.fields ?? {}, "destination: ");
    describe(definition.step?.fields ?? {}, "step: ");
  },
};

function describe(fields: Fields, parent: string): void {
  for (const [name, field] of Object.entries(fields)) {
    const place = `${parent}${name}`;
    must(NAME.test(name), `the name "${place}" is not of small letters, digits and _`);
    must(name !== "type" || parent !== "", 'the name "type" selects the connector');
    const { about, type } = field;
    must(typeof about === "string" && about.trim() !== "", `"${place}" has no description`);
    must(typeof type === "string" && type !== "", `"${place}" has no kind of value`);
    if (field.fields !== undefined) describe(field.fields, `${place}.`);
  }
}

/** The author has given what the suite needs for both sides. */
const complete: Rule = {
  name: "complete",
  title: "the tests cover all that the type can do",
  async check(subject) {
    const { source, destination } = subject.options;
    const type = await needs("fields", () => subject.definition());
    const canStart = type.source?.unable === undefined
      ? type.source !== undefined
      : sourceOf(type, (await needs("configuration", () => subject.load())).connector.options) !==
        undefined;
    const canEnd = type.destination !== undefined;
    must(!canStart || source !== undefined, "the type is a source, and the suite got no `source`");
    must(canStart || source === undefined, "the suite got a `source`, and the type is none");
    must(
      !canEnd || destination !== undefined,
      "the type is a destination, and the suite got no `destination`",
    );
    must(
      canEnd || destination === undefined,
      "the suite got a `destination`, and the type is none",
    );
  },
};

/** The author's configuration is good. */
const configuration: Rule = {
  name: "configuration",
  title: "a good configuration loads without problems",
  async check(subject) {
    await needs("fields", () => subject.definition());
    const { model } = await subject.load();
    const [warning] = model.warnings.filter(({ message }) => !message.includes("weir_suite"));
    must(warning === undefined, `the configuration has the warning: ${warning?.message}`);
  },
};

/** A mistake is a problem at a place, never an exception of the connector's code. */
const mistakes: Rule = {
  name: "mistakes",
  title: "a mistake in the configuration is a problem at its place",
  async check(subject) {
    const { type, mistakes = [] } = subject.options;
    const definition = await needs("fields", () => subject.definition());
    const block = (inside: string) =>
      `connector "c" {\n type = ${JSON.stringify(type)}\n${inside}\n}`;
    // Nothing given: every check must cope with that.
    await problemsOf(subject, block(""));
    const unknown = await problemsOf(subject, block("weir_no_such_attribute = 1"));
    must(
      unknown.some(({ code, line }) => code === "unknown-attribute" && line === 3),
      "an unknown attribute is not reported at its place",
    );
    for (const inside of wrongValues(definition)) await problemsOf(subject, block(inside));
    for (const config of mistakes) {
      const problems = await problemsOf(subject, config);
      must(
        problems.some(({ severity }) => severity === "error"),
        `the configuration is taken, although the author calls it a mistake: ${config}`,
      );
    }
  },
};

/** Each attribute with a value of another kind, and each block as an attribute. */
function wrongValues({ fields }: ConnectorType): readonly string[] {
  return Object.entries(fields).flatMap(([name, { kind }]) =>
    kind === "block"
      ? [`${name} = 1`, `${name} {\n}`]
      : [`${name} = { wrong = [1] }`, `${name} = [[]]`, `${name} = true`, `${name} = ""`]
  );
}

/** The problems of a configuration. Fails the rule if reading it throws anything else. */
async function problemsOf(subject: Subject, config: string): Promise<readonly Problem[]> {
  let problems: readonly Problem[];
  try {
    problems = (await subject.read(config)).warnings;
  } catch (cause) {
    if (!(cause instanceof ConfigError)) {
      throw new Seen(`reading a wrong configuration threw ${textOf(cause)}\n${config}`, { cause });
    }
    problems = cause.problems;
  }
  const lines = config.split("\n").length;
  for (const { line, message } of problems) {
    must(line >= 1 && line <= lines, `the problem "${message}" has no place`);
    must(!/undefined|\[object/.test(message), `the problem ${show(message)} is not a sentence`);
  }
  return problems;
}

/** What the type says about several workers. */
const unshared: Rule = {
  name: "unshared",
  title: "unshared() returns undefined, or says why several workers cannot share the connector",
  async check(subject) {
    whyUnshared(await needs("configuration", () => subject.load()));
  },
};

/** Why several workers cannot share the connector; undefined if they can. */
export function whyUnshared({ definition, connector }: Pick<Loaded, "definition" | "connector">) {
  let why: unknown;
  try {
    why = definition.unshared?.(connector.options, []);
  } catch (cause) {
    throw new Seen(`unshared() threw ${textOf(cause)}`, { cause });
  }
  must(
    why === undefined || (typeof why === "string" && why.trim() !== ""),
    `unshared() returned ${show(why)}`,
  );
  return why;
}

/** The rules about the type. */
export const definitionRules: readonly Rule[] = [
  fields,
  configuration,
  complete,
  mistakes,
  unshared,
];
