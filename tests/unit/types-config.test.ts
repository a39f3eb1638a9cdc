/** Mistakes in `type` blocks: what is said of each, and where. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readTypeBlocks } from "./type-support.ts";

/** The type of the field `x`, which stands at line 2, column 7, and its problems without the file. */
const fields: ReadonlyArray<readonly [written: string, ...problems: string[]]> = [
  // What is no type.
  ['"string"', '7+8 type "t", field "x" must be a type | write it without quotes: string'],
  ['"t"', '7+3 type "t", field "x" must be a type | write it without quotes: t'],
  ['"text"', '7+6 type "t", field "x" must be a type | such as string or array(number)'],
  ["5", '7+1 type "t", field "x" must be a type | such as string or array(number)'],
  ["null", '7+4 type "t", field "x" must be a type | such as string or array(number)'],
  ["[string]", '7+8 type "t", field "x" must be a type | such as string or array(number)'],
  ["{ a = string }", '7+14 type "t", field "x" must be a type | write it as object({ … })'],
  ["strin", '7+5 type "t", field "x": there is no type "strin" | did you mean "string"?'],
  ["adress", '7+6 type "t", field "x": there is no type "adress" | did you mean "address"?'],
  ["nothing", '7+7 type "t", field "x": there is no type "nothing"'],
  ["int", '7+3 type "t", field "x": there is no type "int" | did you mean "number"?'],
  ["integer()", '7+7 type "t", field "x": there is no type "integer" | did you mean "number"?'],
  ["bool", '7+4 type "t", field "x": there is no type "bool" | did you mean "boolean"?'],
  ["list(t)", '7+4 type "t", field "x": there is no type "list" | did you mean "array"?'],
  ["constructor", '7+11 type "t", field "x": there is no type "constructor"'],

  // Arguments.
  [
    'string("email")',
    '7+6 type "t", field "x": the options of string must be an object | such as { required = false }',
  ],
  [
    "id(null)",
    '7+2 type "t", field "x": the options of id must be an object | such as { required = false }',
  ],
  [
    "number([1])",
    '7+6 type "t", field "x": the options of number must be an object | such as { required = false }',
  ],
  [
    "address(string)",
    '7+7 type "t", field "x": the options of address must be an object | such as { required = false }',
  ],
  [
    "boolean({}, {})",
    '7+7 type "t", field "x": boolean has too many arguments | write it as boolean({ … })',
  ],
  [
    "array(id, {}, {})",
    '7+5 type "t", field "x": array has too many arguments | the options come last',
  ],
  ["array", '7+5 type "t", field "x": array needs the type of its items | such as array(string)'],
  [
    "array({ max_length = 3 })",
    '7+5 type "t", field "x": array needs the type of its items | such as array(string)',
  ],
  [
    'array("string")',
    '7+5 type "t", field "x[]" must be a type | write it without quotes: string',
  ],
  [
    "array(array(strin))",
    '19+5 type "t", field "x[][]": there is no type "strin" | did you mean "string"?',
  ],
  ["object({}, {})", '7+6 type "t", field "x": object has no fields | object alone takes any'],
  [
    "object({ a = string, b = 5 })",
    '32+1 type "t", field "x.b" must be a type | such as string or array(number)',
  ],
  [
    "object({ a = object({ b = array(nmber) }) })",
    '39+5 type "t", field "x.a.b[]": there is no type "nmber" | did you mean "number"?',
  ],
  [
    "object(string)",
    '7+6 type "t", field "x": the options of object must be an object | such as { required = false }',
  ],

  // Options that a kind does not have.
  [
    "string({ maxlength = 3 })",
    '16+9 type "t", field "x": string has no option "maxlength" | did you mean "max_length"? string has required, default, format, pattern, enum, min_length, max_length',
  ],
  [
    "string({ min = 3 })",
    '16+3 type "t", field "x": string has no option "min" | string has required, default, format, pattern, enum, min_length, max_length',
  ],
  [
    "number({ format = 1 })",
    '16+6 type "t", field "x": number has no option "format" | number has required, default, min, max, enum',
  ],
  [
    "boolean({ enum = [true] })",
    '17+4 type "t", field "x": boolean has no option "enum" | boolean has required, default',
  ],
  [
    "id({ max_length = 3 })",
    '12+10 type "t", field "x": id has no option "max_length" | id has required, default',
  ],
  [
    'array(string, { "pattern" : "a" })',
    '24+7 type "t", field "x": array has no option "pattern" | array has required, default, min_length, max_length',
  ],
  [
    "object({ additional = true })",
    '16+10 type "t", field "x": object has no option "additional" | object has required, default',
  ],
  [
    "object({ a = string }, { min = 1 })",
    '32+3 type "t", field "x": object with fields has no option "min" | object with fields has required, default, additional',
  ],
  [
    'address({ ("format") = "email" })',
    '30+7 type "t", field "x": address has no option "format" | address has required, default',
  ],
  [
    "string({ __proto__ = 1 })",
    '16+9 type "t", field "x": string has no option "__proto__" | string has required, default, format, pattern, enum, min_length, max_length',
  ],

  // Values of a wrong kind.
  ["string({ required = 1 })", '27+1 type "t", field "x": required must be true or false'],
  [
    'string({ format = "emial" })',
    '25+7 type "t", field "x": format must be one of "email", "url", "uuid", "date", "datetime", "ip", "phone" | did you mean "email"?',
  ],
  ["string({ format = 1 })", '25+1 type "t", field "x": format must be text in quotes'],
  [
    "string({ format = email })",
    '25+5 type "t", field "x": format cannot hold a type | write it in quotes: "email"',
  ],
  [
    "string({ min_length = -1 })",
    '29+2 type "t", field "x": min_length must be a whole number of at least 0',
  ],
  [
    "string({ max_length = 1.5 })",
    '29+3 type "t", field "x": max_length must be a whole number of at least 0',
  ],
  [
    'array(string, { max_length = "many" })',
    '36+6 type "t", field "x": max_length must be a whole number of at least 0',
  ],
  ['number({ min = "low" })', '22+5 type "t", field "x": min must be a number'],
  ['number({ max = "0x1" })', '22+5 type "t", field "x": max must be a number'],
  ["number({ max = true })", '22+4 type "t", field "x": max must be a number'],
  ["string({ pattern = 1 })", '26+1 type "t", field "x": pattern must be a pattern in quotes'],
  [
    'string({ pattern = "(" })',
    '26+3 type "t", field "x": pattern must be a pattern of RE2 | error parsing regexp: missing closing ): `(`',
  ],
  [
    'string({ pattern = "(?=a)" })',
    '26+7 type "t", field "x": pattern must be a pattern of RE2 | error parsing regexp: invalid or unsupported Perl syntax: `(?=`',
  ],
  ["string({ enum = [1] })", '23+3 type "t", field "x": enum must be a list of strings'],
  ['string({ enum = "a" })', '23+3 type "t", field "x": enum must be a list of strings'],
  ["string({ enum = [] })", '23+2 type "t", field "x": enum must have at least one value'],
  ['number({ enum = [1, "2"] })', '23+8 type "t", field "x": enum must be a list of numbers'],
  [
    "string({ enum = [red, blue] })",
    '24+3 type "t", field "x": enum cannot hold a type | write it in quotes: "red"',
  ],
  [
    'object({ a = string }, { additional = "yes" })',
    '45+5 type "t", field "x": additional must be true or false',
  ],

  // Options that contradict each other.
  ["number({ min = 2, max = 1 })", '22+1 type "t", field "x": min must not be greater than max'],
  [
    "string({ min_length = 2, max_length = 1 })",
    '29+1 type "t", field "x": min_length must not be greater than max_length',
  ],
  [
    "array(id, { max_length = 1, min_length = 2 })",
    '48+1 type "t", field "x": min_length must not be greater than max_length',
  ],

  // Defaults.
  ["string({ default = 5 })", '26+1 type "t", field "x": default must be a string'],
  [
    "string({ default = null })",
    '26+4 type "t", field "x": default must be a value | for none, write required = false',
  ],
  [
    "string({ default = none })",
    '26+4 type "t", field "x": default cannot hold a type | write it in quotes: "none"',
  ],
  ['number({ default = "x" })', '26+3 type "t", field "x": default must be a number'],
  ["number({ min = 5, default = 3 })", '35+1 type "t", field "x": default must be at least 5'],
  ["boolean({ default = 1 })", '27+1 type "t", field "x": default must be true or false'],
  [
    "id({ default = 1.5 })",
    '22+3 type "t", field "x": default must be a string of 1 to 255 characters or a whole number',
  ],
  [
    'array(number, { default = [1, "2"] })',
    '33+8 type "t", field "x": default is wrong, [1]: must be a number',
  ],
  [
    "array(number({ default = true }))",
    '32+4 type "t", field "x[]": default must be a number',
  ],
  [
    "object({ a = string({ default = 1 }) }, { required = false })",
    '39+1 type "t", field "x.a": default must be a string',
  ],
  [
    'address({ default = { city = "" } })',
    '27+13 type "t", field "x": default is wrong, street: is missing',
    '27+13 type "t", field "x": default is wrong, city: unknown field',
  ],
  [
    "t({ default = {} })",
    '21+2 type "t", field "x": default would be filled into itself without end',
  ],

  // Types without an end.
  [
    "t",
    '7+1 type "t", field "x": no value can satisfy "t", each would hold another without end | required = false lets it end',
  ],
  [
    "array(object({ y = t }), { min_length = 1 })",
    '7+5 type "t", field "x": no value can satisfy "t", each would hold another without end | required = false lets it end',
  ],
];

const ADDRESS = 'type "address" {\n  street = string\n}\n';

for (const [written, ...problems] of fields) {
  test(`type mistakes: x = ${written}`, async () => {
    const read = await readTypeBlocks(`type "t" {\n  x = ${written}\n}\n${ADDRESS}`);
    assert.deepEqual(read.problems, problems.map((problem) => `a.hcl:2:${problem}`));
  });
}

/** Whole configurations. */
const texts: ReadonlyArray<readonly [name: string, text: string, ...problems: string[]]> = [
  [
    "an empty type",
    'type "t" {}\n',
    'a.hcl:1:1+8 type "t" has no fields | with additional = true it takes any object',
  ],
  [
    "an empty type that says so",
    'type "t" {\n  additional = false\n}\n',
    'a.hcl:1:1+8 type "t" has no fields | with additional = true it takes any object',
  ],
  [
    "additional that is no boolean",
    'type "t" {\n  additional = "yes"\n  a = string\n}\n',
    'a.hcl:2:16+5 type "t": additional must be true or false',
  ],
  [
    "a block in a type",
    'type "t" {\n  to "x" {\n    a = string\n  }\n}\n',
    'a.hcl:2:3+6 type "t" has no block "to" | write it as to = object({ … })',
  ],
  [
    "a type with the name of a kind",
    'type "object" {\n  a = string\n}\n',
    'a.hcl:1:6+8 type "object" has the name of a kind | choose another',
  ],
  [
    "a value that cannot be evaluated is reported once",
    'type "t" {\n  additional = env("NOWHERE")\n  a = string({ enum = constants.x })\n  b = a.b\n}\n',
    'a.hcl:2:16+14 type "t": the environment variable NOWHERE is not set | set it, or give a default: env("NOWHERE", "…")',
    'a.hcl:3:33+1 type "t": there is no constant "x"',
    'a.hcl:4:7+1 type "t": unknown variable "a" | write it in quotes: "a.b"',
  ],
  [
    "all mistakes of one field and of all fields",
    'type "t" {\n  a = string({ min_length = -1, format = 1, foo = 2 })\n  b = strin\n}\n',
    'a.hcl:2:29+2 type "t", field "a": min_length must be a whole number of at least 0',
    'a.hcl:2:42+1 type "t", field "a": format must be text in quotes',
    'a.hcl:2:45+3 type "t", field "a": string has no option "foo" | string has required, default, format, pattern, enum, min_length, max_length',
    'a.hcl:3:7+5 type "t", field "b": there is no type "strin" | did you mean "string"?',
  ],
  [
    "a circle of types is reported once, and not who refers to it",
    'type "s" {\n  a = a\n}\ntype "a" {\n  x = string\n  b = b({ required = true })\n}\ntype "b" {\n  c = object({ a = a })\n}\n',
    'a.hcl:6:7+1 type "a", field "b": no value can satisfy "a", each would hold another without end | required = false lets it end',
  ],
  [
    "defaults that fill in each other",
    'type "a" {\n  b = b({ default = {} })\n}\ntype "b" {\n  a = a({ default = {} })\n}\n',
    'a.hcl:2:21+2 type "a", field "b": default would be filled into itself without end',
  ],
];

for (const [name, text, ...problems] of texts) {
  test(`type mistakes: ${name}`, async () => {
    assert.deepEqual((await readTypeBlocks(text)).problems, problems);
  });
}

test("type mistakes: types that end are none", async () => {
  const { types, problems } = await readTypeBlocks(`
type "later" {
  a = node
  b = array(later)
  c = array(later({ required = false }), { min_length = 1 })
  d = later({ required = false })
  e = object({ f = later }, { required = false })
}
type "node" {
  next = node({ required = false })
}
type "two words" {
  a-b = node
}
type "any" {
  additional = true
}
`);
  assert.deepEqual(problems, []);
  assert.deepEqual([...types.keys()], ["later", "node", "two words", "any"]);
});

test("type mistakes: a type that may stand in a broken file is no mistake", async () => {
  const text =
    'type "t" {\n  a = elsewhere\n  b = array(elsewhere({ default = 1 }))\n  c = nowhere\n}\n';
  const { types, problems } = await readTypeBlocks(text, { elsewhere: ["elsewhere"] });
  assert.deepEqual(problems, ['a.hcl:4:7+7 type "t", field "c": there is no type "nowhere"']);
  assert.deepEqual([...types.get("t")?.fields ?? []], ["a", "b", "c"]);
});

test("type mistakes: no types at all", async () => {
  const { types, problems } = await readTypeBlocks("");
  assert.deepEqual([types.size, problems], [0, []]);
});
