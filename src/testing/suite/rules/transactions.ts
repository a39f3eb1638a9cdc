/** Rules about `transact`. */
import { must, needs, within } from "../failure.ts";
import { requires, type Rule, withStarted } from "../rule.ts";
import type { Instance, Subject } from "../subject.ts";
import { checkError, payloadOf, watchArrivals } from "./destination.ts";

const transactions: Rule = {
  name: "transactions",
  title: "transact() writes everything when its work has ended, and nothing if it fails",
  applies: ({ destination }) => destination !== undefined,
  async check(subject) {
    const { definition } = await needs("configuration", () => subject.load());
    const declared = definition.destination?.transactions === true;
    await withStarted(subject, async (instance) => {
      const has = instance.connector.transact !== undefined;
      must(has || !declared, "the type has transactions, and the connector has no transact()");
      must(declared || !has, "the connector has transact(), and its type has no transactions");
      if (!has) return;
      requires(subject, "write");
      await checkSuccess(subject, instance);
      await checkFailures(subject, instance);
    });
  },
};

async function checkSuccess(subject: Subject, instance: Instance): Promise<void> {
  const { payload, arrived } = await watchArrivals(subject);
  const result = await within(
    "transact()",
    () =>
      instance.transact(async (write) => {
        await write(payload);
        await write(payloadOf(subject));
        return "done";
      }),
    subject.patience,
  );
  must(result === "done", "transact() did not return what its work returned");
  const found = await arrived(2);
  must(found.length <= 2, `two payloads were written, and ${found.length} have arrived`);
}

async function checkFailures(subject: Subject, instance: Instance): Promise<void> {
  const failure = new Error("the work of the contract suite fails");
  const thrown = await failureOf(subject, instance, () => {
    throw failure;
  });
  must(thrown === failure, "transact() did not reject with what its work threw");
  const { refused } = subject.options.destination ?? {};
  if (refused === undefined) return;
  const refusal = await failureOf(subject, instance, (write) => write(refused.payload));
  checkError(refusal, instance.name);
}

/** The error of a transaction that writes a payload and then fails. */
async function failureOf(
  subject: Subject,
  instance: Instance,
  fail: (write: (payload: unknown) => Promise<unknown>) => unknown,
): Promise<unknown> {
  const { payload, arrived } = await watchArrivals(subject);
  const failed = instance.transact(async (write) => {
    await write(payload);
    await fail(write);
  });
  const ended = failed.then(() => undefined, (error) => ({ error }));
  const end = await within("transact()", () => ended, subject.patience);
  must(end !== undefined, "transact() resolved, and its work had failed");
  const { length } = await arrived(0);
  must(length === 0, `a transaction failed, and ${length} of its payloads have arrived`);
  return end.error;
}

/** The rules about transactions. */
export const transactionRules: readonly Rule[] = [transactions];
