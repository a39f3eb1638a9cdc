/** Rules about the keys that instances share. */
import { must, pause, show, until, within } from "../../failure.ts";
import type { SharedKeys } from "../../../../contract/backplane.ts";
import { type BackplaneRule, type BackplaneSubject, requires } from "../subject.ts";

/** A life that no test outlives, in milliseconds. */
const LONG = 60_000;
/** A life that ends in a test. */
const SHORT = 500;
/** The longest time of a call, in milliseconds: the two seconds of the contract, and some. */
const SETTLES = 2_500;

const keys: BackplaneRule = {
  name: "keys",
  title: "a key is added, read, replaced and removed by its value, in all instances alike",
  check: (subject) =>
    withKeys(subject, async ([one, two]) => {
      const texts = ["k", "", "a b", "*", "a:b", "漢字🙂", "\0", "x".repeat(1_000)];
      for (const key of texts) {
        const value = `ä\0"${key}`;
        const expect = expecting(key);
        await expect(one.get(key), undefined, "get() of a key that is not set");
        await expect(one.add(key, value, LONG), undefined, "add() of a key that is not set");
        await expect(two.get(key), value, "get() in another instance");
        await expect(two.add(key, "other", LONG), value, "add() of a key that is set");
        await expect(two.replace(key, "wrong", "x", LONG), false, "replace() of a wrong value");
        await expect(two.replace(key, value, "", LONG), true, "replace()");
        await expect(one.get(key), "", "get() after replace()");
        await expect(one.remove(key, value), undefined, "remove() of a former value");
        await expect(one.get(key), "", "get() after remove() of a former value");
        await expect(one.remove(key, ""), undefined, "remove()");
        await expect(two.get(key), undefined, "get() after remove()");
        await expect(two.replace(key, "", "x", LONG), false, "replace() of a key that is not set");
        await expect(one.get(key), undefined, "get() after replace() of a key that is not set");
        await expect(one.remove(key, "x"), undefined, "remove() of a key that is not set");
      }
    }),
};

const race: BackplaneRule = {
  name: "race",
  title: "of many that add one key at once, one wins, and all others are told its value",
  async check(subject) {
    requires(subject, "open", "keys");
    await withKeys(subject, async ([one, two]) => {
      const values = Array.from({ length: 50 }, (_, index) => `value ${index}`);
      const answers = await within(
        "50 calls of keys.add()",
        () =>
          Promise.all(
            values.map((value, index) => (index % 2 ? one : two).add("race", value, LONG)),
          ),
        SETTLES,
      );
      const winners = values.filter((_, index) => answers[index] === undefined);
      must(winners.length === 1, `${winners.length} calls of keys.add() won`);
      const told = new Set(answers.filter((answer) => answer !== undefined));
      must(
        told.size === 1 && told.has(winners[0]),
        `keys.add() stored ${show(winners[0])}, and returned ${show([...told])} to the others`,
      );
      await one.remove("race", winners[0]);
    });
  },
};

const ttl: BackplaneRule = {
  name: "ttl",
  title: "a key is gone when its time is over, which replace() begins anew",
  async check(subject) {
    requires(subject, "open", "keys");
    await withKeys(subject, async ([one, two]) => {
      await one.add("short", "a", SHORT);
      await one.add("longer", "a", SHORT);
      await one.add("shorter", "a", LONG);
      await two.replace("longer", "a", "b", LONG);
      await two.replace("shorter", "a", "b", SHORT);
      for (const key of ["short", "shorter"]) {
        await until(
          async () => await two.get(key) === undefined,
          () => `the key "${key}" with a time of ${SHORT} ms is still set`,
          SHORT + subject.patience,
        );
      }
      await pause(SHORT);
      await expecting("longer")(one.get("longer"), "b", "get() of a key whose time goes on");
      await expecting("short")(two.add("short", "c", LONG), undefined, "add() after its time");
      await one.remove("longer", "b");
      await one.remove("short", "c");
    });
  },
};

/** Runs a rule with the keys of two instances; passes where the backplane has none. */
async function withKeys(
  subject: BackplaneSubject,
  act: (keys: readonly [SharedKeys, SharedKeys]) => Promise<void>,
): Promise<void> {
  requires(subject, "open");
  await subject.with(async ({ join }) => {
    const [{ keys: one }, { keys: two }] = [await join(), await join()];
    if (one !== undefined && two !== undefined) await act([one, two]);
  });
}

function expecting(
  key: string,
): (call: Promise<unknown>, value: unknown, what: string) => Promise<void> {
  return async (call, value, what) => {
    const found = await within(`keys.${what}`, () => call, SETTLES);
    must(found === value, `keys.${what} returned ${show(found)} for the key ${show(key)}`);
  };
}

/** The rules about keys. */
export const keyRules: readonly BackplaneRule[] = [keys, race, ttl];
