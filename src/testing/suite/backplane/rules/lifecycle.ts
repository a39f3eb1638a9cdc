/** Rules about the beginning and the end of a backplane. */
import { must, show, until } from "../../failure.ts";
import { refused } from "../instance.ts";
import { type BackplaneRule, requires } from "../subject.ts";

const open: BackplaneRule = {
  name: "open",
  title: "open() connects and calls up(); its capabilities say what it can do",
  check: (subject) =>
    subject.with(async ({ make }) => {
      const instance = await make();
      await instance.open();
      await instance.connected();
      const { echoes, order, live, members } = instance.backplane.capabilities;
      must(typeof echoes === "boolean", `capabilities.echoes is ${show(echoes)}`);
      must(order === "all" || order === "sender", `capabilities.order is ${show(order)}`);
      must(live === "reply" || live === "probe", `capabilities.live is ${show(live)}`);
      must(typeof members === "boolean", `capabilities.members is ${show(members)}`);
    }),
};

const close: BackplaneRule = {
  name: "close",
  title: "close() works before open() and again; after it nothing is sent and nothing is heard",
  async check(subject) {
    requires(subject, "open");
    await subject.with(async ({ make, join }) => {
      const unopened = await make();
      await unopened.close();
      await unopened.close();
      const [closed, other] = [await join(), await join()];
      await closed.subscribe("closed");
      await other.subscribe("other");
      await closed.close();
      await closed.close();
      const { backplane } = closed;
      await refused("publish() after close()", () => backplane.publish("other", new Uint8Array(1)));
      await refused("subscribe() after close()", () => backplane.subscribe(["late"]));
      backplane.unsubscribe(["closed"]);
      const { keys } = backplane;
      if (keys) await refused("keys.get() after close()", () => keys.get("k"));
      // What it must not hear has come where this has.
      const last = await join();
      await last.publish("closed", "late");
      await last.publish("other", "end");
      await other.hears("other", "end");
      const count = other.heard.length;
      must(count === 1, `an instance that is closed has published: ${count} messages were heard`);
    });
  },
};

const members: BackplaneRule = {
  name: "members",
  title: "with the capability `members`, each is told of all instances that live, oldest first",
  async check(subject) {
    requires(subject, "open");
    await subject.with(async ({ join }) => {
      const first = await join();
      if (!first.backplane.capabilities.members) return;
      const second = await join();
      const told = (ids: readonly string[]) =>
        until(
          () => first.members.join() === ids.join(),
          () => `${show(ids)} live, and members() was called with ${show(first.members)}`,
          subject.patience,
        );
      await told([first.id, second.id]);
      await second.close();
      await told([first.id]);
    });
  },
};

/** The rules about the beginning and the end. */
export const lifecycleRules: readonly BackplaneRule[] = [open, close, members];
