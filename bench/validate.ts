/**
 * The cost of Weir's types compared with valibot: an object of five fields, on the runtime that runs
 * this file (`deno run -A bench/validate.ts`, `bun bench/validate.ts`, `node bench/validate.ts`).
 */
import * as v from "valibot";
import { readTypes } from "../src/config/types.ts";
import { readTexts } from "../tests/support/hcl.ts";
import { summarize } from "./statistics.ts";

/** Medians of one run. */
export interface Comparison {
  /** Microseconds an object by a type of Weir. */
  readonly weir: number;
  /** Microseconds an object by a schema of valibot of the same shape. */
  readonly valibot: number;
  /** The median of the rounds' ratios. */
  readonly ratio: number;
}

const TYPE = `type "user" {
  name   = string({ max_length = 50 })
  email  = string({ format = "email" })
  age    = number({ min = 0 })
  active = boolean
  tags   = array(string)
}
`;

const SCHEMA = v.strictObject({
  name: v.pipe(v.string(), v.maxLength(50)),
  email: v.pipe(v.string(), v.rfcEmail()),
  age: v.pipe(v.number(), v.minValue(0)),
  active: v.boolean(),
  tags: v.array(v.string()),
});

const USER = {
  name: "Ada Lovelace",
  email: "ada@example.com",
  age: 36,
  active: true,
  tags: ["math", "engines", "poetry"],
};

/** Measures both in turn, after one round to warm up. */
export async function compareValidation(
  options: { readonly rounds?: number; readonly objects?: number } = {},
): Promise<Comparison> {
  const { rounds = 9, objects = 100_000 } = options;
  const { body: { blocks: [block] } } = await readTexts([TYPE]);
  const type = readTypes([["user", block]], { mayExist: () => false, report: refuse }).get("user");
  if (type === undefined) throw new Error("the type is missing");
  const weir: number[] = [];
  const valibot: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const byValibot = measure(objects, () => v.safeParse(SCHEMA, USER).success);
    const byWeir = measure(objects, () => "value" in type.check(USER));
    if (round === 0) continue;
    valibot.push(byValibot);
    weir.push(byWeir);
  }
  return {
    weir: summarize(weir).median,
    valibot: summarize(valibot).median,
    ratio: summarize(weir.map((time, round) => time / valibot[round])).median,
  };
}

/** Microseconds a call; each must accept the object. */
function measure(objects: number, validate: () => boolean): number {
  let good = 0;
  const start = performance.now();
  for (let i = 0; i < objects; i++) if (validate()) good++;
  const time = performance.now() - start;
  if (good !== objects) throw new Error(`${objects - good} of ${objects} objects were refused`);
  return time * 1000 / objects;
}

function refuse({ message }: { readonly message: string }): never {
  throw new Error(message);
}

if (import.meta.main) {
  const { weir, valibot, ratio } = await compareValidation();
  console.log(`valibot alone   ${valibot.toFixed(3)} µs an object of five fields
a type of Weir  ${weir.toFixed(3)} µs
ratio           ${ratio.toFixed(2)}`);
}
