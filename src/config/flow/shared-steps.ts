/** Reports names of steps that a flow has twice: in its `accept`, and below it. */
import { type Block, type Body, positionOf, type Report } from "../../hcl/tree.ts";

/** Both results would be `step.NAME`. */
export function refuseSharedSteps({ blocks }: Body, subject: string, report: Report): void {
  const early = blocks.filter(({ type }) => type === "accept").flatMap(({ body }) => stepsOf(body));
  for (const [name, { headerSpan }] of stepsOf({ blocks })) {
    const first = early.find(([other]) => other === name)?.[1];
    if (first === undefined) continue;
    const { file, line } = positionOf(first.headerSpan);
    const message = `${subject}: there is a second step "${name}"`;
    const hint = `the first is in accept, at ${file}:${line}; both would be step.${name}, ` +
      "so give one of them another name";
    report({ code: "duplicate-name", span: headerSpan, message, hint });
  }
}

function stepsOf({ blocks }: Pick<Body, "blocks">): readonly (readonly [string, Block])[] {
  return blocks.filter(({ type }) => type === "step")
    .flatMap((block) => block.labels.slice(0, 1).map(({ text }) => [text, block] as const));
}
