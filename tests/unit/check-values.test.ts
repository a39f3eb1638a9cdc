/** What `weir check` finds in the values of writes, by the types of columns. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Case,
  compare,
  flow,
  placesOf,
  problemsOf,
  step,
  to,
} from "../support/check-database.ts";

const STRICT = `CREATE TABLE t (
  whole INTEGER, half REAL, words TEXT, bytes BLOB, thing ANY,
  need INTEGER NOT NULL DEFAULT 0, must TEXT NOT NULL) STRICT;
CREATE TABLE loose (whole INTEGER, half REAL, words TEXT, bytes BLOB, need INT NOT NULL);
`;

const POSTGRES = `CREATE TABLE t (
  id bigserial PRIMARY KEY, whole integer, total numeric(8, 2), yes boolean NOT NULL DEFAULT false,
  words text, who uuid, data jsonb, bytes bytea, at timestamptz NOT NULL DEFAULT now(), day date,
  tags text[], spent interval, address inet);
`;

const MYSQL = `CREATE TABLE t (
  id BIGINT AUTO_INCREMENT PRIMARY KEY, whole INT, total DECIMAL(8, 2), yes BOOLEAN, words TEXT,
  data JSON, bytes BLOB, at DATETIME(3), day DATE, kind ENUM('a', 'b'));
`;

/** A column, an expression for it, and whether it is refused. */
type Row = readonly [column: string, value: string, isRefused: boolean];

/** An event may add other fields, so that the value of this one is the only problem. */
const set = (column: string, value: string) =>
  to(`target = "t"\ntransform {\nextend = true\n${column} = "${value}"\n}`);

async function compareRows(
  rows: readonly Row[],
  given: Parameters<typeof compare>[1],
): Promise<void> {
  const cases = rows.map(([column, value, isRefused]): Case => {
    const place = `a.hcl:8:${column.length + 4}+${value.length + 2} refused-value`;
    return isRefused ? [set(column, value), place] : [set(column, value)];
  });
  await compare(cases, given);
}

test("sqlite: no value of a kind fits the type of a STRICT table's column", async () => {
  await compareRows([
    ["whole", "'abc'", true],
    ["whole", "'12'", false],
    ["whole", "1.5", true],
    ["whole", "1.0", false],
    ["whole", "true", false],
    ["whole", "input.x > 1", false],
    ["whole", "now()", true],
    ["whole", "uuid()", true],
    ["whole", "random()", false],
    ["whole", "[input.x]", true],
    ["whole", "{'a': input.x}", true],
    ["whole", "input.x", false],
    ["whole", "input.x + 1", false],
    ["whole", "'a' + input.x", false],
    ["whole", "input.x ? 'many' : 'few'", true],
    ["whole", "input.x ? 'many' : '1'", false],
    ["whole", "input.x ? 'many' : input.y", false],
    ["whole", "input.x ? 'many' : null", false],
    ["need", "input.x ? 'many' : null", true],
    ["need", "null", true],
    ["must", "null", true],
    ["must", "[1]", false],
    ["half", "now()", true],
    ["half", "size(input.x)", false],
    ["words", "input.x > 1", false],
    ["bytes", "input.x + 'a'", true],
    ["bytes", "null", false],
    ["bytes", "base64_encode(input.x)", true],
    ["thing", "{'a': 1}", false],
  ], { migrations: STRICT });
  // What is said of the first value is what to do.
  const [problem] = await problemsOf(flow(set("bytes", "input.x > 1")), { migrations: STRICT });
  assert.equal(
    problem.message,
    'flow "f", to cannot write to column "bytes" of table "t": its value is true or false, ' +
      "which a column of type BLOB refuses",
  );
  assert.equal(problem.hint, "no expression makes a BLOB: declare the column as TEXT or ANY");
});

test("sqlite: a table that is not STRICT takes all but null", async () => {
  const loose = (column: string, value: string) => set(column, value).replace('"t"', '"loose"');
  await compare([
    [loose("whole", "'abc'")],
    [loose("half", "[1]")],
    [loose("bytes", "true")],
    [loose("need", "'x'")],
    [loose("need", "null"), "a.hcl:8:8+6 refused-value"],
  ], { migrations: STRICT });
});

test("postgres: no value of a kind fits the type of a column", async () => {
  await compareRows([
    ["whole", "'abc'", true],
    ["whole", "'12'", false],
    ["whole", "true", true],
    ["whole", "input.x == 1", true],
    ["whole", "now()", true],
    ["whole", "{}", true],
    ["total", "input.x > 1", true],
    ["total", "'1.50'", false],
    ["yes", "2", true],
    ["yes", "1", false],
    ["yes", "size(input.x)", false],
    ["yes", "'maybe'", true],
    ["yes", "'on'", false],
    ["yes", "null", true],
    ["words", "5", false],
    ["words", "true", false],
    ["words", "[1]", false],
    ["who", "uuid()", false],
    ["who", "'someone'", true],
    ["who", "size(input.x)", true],
    ["who", "'a' + input.x", false],
    ["data", "'text'", false],
    ["data", "input.x > 1", false],
    ["bytes", "'é'", true],
    ["bytes", "base64_encode(input.x)", false],
    ["bytes", "size(input.x)", true],
    ["at", "size(input.x)", true],
    ["at", "now_unix()", true],
    ["at", "now()", false],
    ["at", "'tomorrow'", false],
    ["day", "input.x > 1", true],
    ["tags", "'a'", true],
    ["tags", "'{a}'", false],
    ["tags", "['a']", false],
    ["tags", "{'a': 1}", true],
    ["spent", "5", false],
    ["address", "true", false],
  ], { migrations: POSTGRES, driver: "postgres" });
});

test("mysql: no value of a kind fits the type of a column", async () => {
  await compareRows([
    ["whole", "'abc'", true],
    ["whole", "true", false],
    ["whole", "now()", true],
    ["whole", "[1]", true],
    ["total", "{}", true],
    ["yes", "input.x > 1", false],
    ["words", "5", false],
    ["data", "5", false],
    ["bytes", "5", true],
    ["at", "5", false],
    ["at", "[5]", true],
    ["day", "{'a': 1}", true],
    ["kind", "'c'", false],
    ["id", "null", false],
  ], { migrations: MYSQL, driver: "mysql" });
});

/** A flow that checks what it gets. */
const typed = (field: string, block: string, more = "") =>
  `type "thing" {
  must = string
  whole = ${field}
}
${
    flow(`validate {
    input = "thing"
  }
  ${more}
  ${block}`)
  }`;

test("a field of a type is of a kind, and the place of its mistake is the type's", async () => {
  const cases: readonly (readonly [field: string, isRefused: boolean])[] = [
    ["string", false],
    ["integer", false],
    ["number", false],
    ["boolean", false],
    ["id", false],
    ["array(number)", true],
    ["object({ a = string })", true],
    ["object", true],
    ['string({ format = "email" })', true],
    ['string({ format = "datetime" })', true],
    ['string({ format = "phone" })', false],
    ['string({ enum = ["a", "b"] })', true],
    ['string({ enum = ["a", "1"] })', false],
    ["number({ enum = [1.5, 2.5] })", true],
    // Null fits.
    ["array(number, { required = false })", false],
    ["array(number, { default = [] })", true],
  ];
  const found: unknown[] = [];
  for (const [field] of cases) {
    const write = to('target = "t"');
    const read = to(
      'target = "t"\ntransform {\nmust = "input.must"\nwhole = "input.whole"\n}',
    );
    const step = `step "s" {\nconnector = "db"\ntarget = "t"\n}\nresponse { a = "step.s" }`;
    const places = [];
    for (const block of [write, read, step]) {
      places.push(await placesOf(typed(field, block), { migrations: STRICT }));
    }
    const [written, transformed, sent] = places;
    assert.deepEqual(sent, written, field);
    const isRefused = written.length > 0;
    if (isRefused) {
      assert.deepEqual(written, [`a.hcl:3:11+${field.length} refused-value`]);
      assert.deepEqual(transformed, ["a.hcl:16:9+13 refused-value"]);
    } else assert.deepEqual(transformed, []);
    found.push([field, isRefused]);
  }
  assert.deepEqual(found, cases);
});

test("nothing is said of what no type has seen, or what another may have replaced", async () => {
  const list = "array(number)";
  const cases: readonly string[] = [
    // The event may be another one.
    typed(
      list,
      'error_handling {\nfallback {\nconnector = "db"\ntarget = "t"\n' +
        'transform {\nextend = true\nwhole = "input.whole"\n}\n}\n}\nresponse { a = "1" }',
    ),
    typed(
      list,
      'accept {\nstep "s" {\nconnector = "db"\ntarget = "t"\n}\nwhen = "step.s == 1"\n}\n' +
        'response { a = "1" }',
    ),
    // An item of a list.
    typed(list, to('target = "t"\neach = "input.whole"')),
    // A transform makes another value, and a type fills in what lacks.
    typed(
      list,
      to('target = "t"'),
      'transform {\nextend = true\nwhole = "size(input.whole)"\n}',
    ),
    `type "filled" {
  must  = string
  whole = integer({ default = 1 })
}
${
      flow(
        'validate {\noutput = "filled"\n}\ntransform {\nmust = "\'a\'"\nwhole = "null"\n}\n' +
          to('target = "t"'),
      )
    }`,
    // The source adds a field of this name.
    `type "thing" {
  must         = string
  scheduled_at = array(string)
}
${
      flow(
        'validate {\ninput = "thing"\n}\n' +
          to('target = "t"\ntransform {\nmust = "\'a\'"\nwhole = "input.scheduled_at"\n}'),
      )
    }`,
  ];
  for (const text of cases) {
    assert.deepEqual(await placesOf(text, { migrations: STRICT }), [], text);
  }
});

test("a parameter that is all that a column gets is a value of the column", async () => {
  const insert = (values: string, more = "") =>
    `query = "INSERT INTO t (must, whole) VALUES (${values})${more}"`;
  const sent = (value: string) => `transform {\nmust = "\'a\'"\nwhole = "${value}"\n}`;
  const whole = insert(":must, :whole");
  const cases: readonly Case[] = [
    [to(`${whole}\n${sent("now()")}`), "a.hcl:8:9+7 refused-value"],
    [to(`${whole}\n${sent("input.x")}`)],
    [to(`${whole}\ntransform {\nmust = "null"\nwhole = "1"\n}`), "a.hcl:7:8+6 refused-value"],
    [
      to(`${insert(":must, :whole", " ON CONFLICT DO NOTHING")}\n${sent("now()")}`),
      "a.hcl:8:9+7 refused-value",
    ],
    [
      step(`${whole}\nparams = {\nmust = "\'a\'"\nwhole = "[1]"\n}`),
      "a.hcl:8:9+5 refused-value",
    ],
    // What `params` say comes before the payload.
    [to(`${whole}\nparams = { whole = "1" }\n${sent("now()")}`)],
    // Something else is made of it, or another statement may be meant.
    [to(`${insert(":must, length(:whole)")}\n${sent("now()")}`)],
    [to(`${insert(":must, :whole || ''")}\n${sent("now()")}`)],
    [to(`${insert("coalesce(:must, 1), 2")}\ntransform { must = "null" }`)],
    [to(`query = "INSERT OR IGNORE INTO t (must) VALUES (:must)"\ntransform { must = "null" }`)],
    [to(`query = "INSERT INTO t (must) SELECT :must"\ntransform { must = "null" }`)],
    [to(`query = "DELETE FROM t WHERE whole = :whole"\ntransform { whole = "now()" }`)],
  ];
  await compare(cases, { migrations: STRICT });
  const postgres = 'query = "INSERT INTO t (who, at) VALUES (:who, :at) RETURNING id"';
  await compare([
    [to(`${postgres}\ntransform {\nwho = "5"\nat = "now()"\n}`), "a.hcl:7:7+3 refused-value"],
  ], { migrations: POSTGRES, driver: "postgres" });
});

test("sqlite: the key of an UPDATE is compared and not stored", async () => {
  const update = to(
    'target = "t"\noperation = "UPDATE"\nkey = "whole"\ntransform {\nwhole = "\'x\'"\nmust = "\'a\'"\n}',
  );
  assert.deepEqual(await placesOf(flow(update), { migrations: STRICT }), []);
});
