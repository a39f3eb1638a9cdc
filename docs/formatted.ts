/** Text as `deno fmt` leaves it, so that a generated file is stable under it. */
export async function formatted(text: string, extension: "json" | "md" | "ts"): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["fmt", `--ext=${extension}`, "--line-width=100", "-"],
    stdin: "piped",
    stdout: "piped",
  });
  const process = command.spawn();
  const writer = process.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  return new TextDecoder().decode((await process.output()).stdout);
}

/**
 * Writes a generated file; with `--check` it writes nothing and ends with 1 where it is stale, and says
 * which command makes it.
 */
export async function keepFile(
  file: URL,
  text: string,
  name: string,
  command = "deno task docs",
): Promise<void> {
  if (!Deno.args.includes("--check")) return await Deno.writeTextFile(file, text);
  if (await Deno.readTextFile(file).catch(() => "") === text) return;
  console.error(`${name} is stale: run \`${command}\``);
  Deno.exit(1);
}
