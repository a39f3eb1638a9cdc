/** Warns about a transaction of a single write, which no `reject` after it can undo and no key joins. */
import type { PlacedFlow, PlacedRequest, Surroundings } from "./flow.ts";

/** Warns about each `to` whose `atomic` has no effect. */
export function warnOfTransactions(
  { model, requests }: PlacedFlow,
  { report }: Pick<Surroundings, "report">,
): void {
  const to = requests.filter(({ kind }) => kind === "to");
  for (const [index, { subject, request, places }] of to.entries()) {
    // A list may be several writes.
    if (!request.atomic || request.each !== undefined) continue;
    const belongs = (other: PlacedRequest | undefined): boolean =>
      other?.request.atomic === true && other.request.connector === request.connector;
    if (belongs(to[index - 1]) || belongs(to[index + 1])) continue;
    // The key of `dedupe` is kept in the transaction.
    if (model.dedupe?.store === request.connector && to.length === 1) continue;
    if (model.rejects.some(({ delivered }) => delivered === index + 1)) continue;
    report({
      code: "single-write",
      span: places.nameOf("atomic"),
      message: `${subject} is a transaction of one write, since no neighbour on connector ` +
        `"${request.connector}" has atomic = true`,
      hint: "write the destinations of one transaction next to each other",
      severity: "warning",
    });
  }
}
