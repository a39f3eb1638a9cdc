/**
 * A registry of this machine that has Weir as if it were published, by the protocols of npm and JSR.
 * All other packages come from where the machine gets them.
 */

import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { close, filesOf, listen, type Packages, packages } from "./packages.ts";

/** A registry that runs. */
export interface Registry {
  /** For `@weir:registry` in an `.npmrc`, and for Deno's `JSR_URL`. */
  readonly url: string;
  close(): void;
}

/** What is at a path. */
interface Answer {
  readonly type: string;
  readonly body: string | Uint8Array;
}

/** Serves the packages of this checkout on a free port. */
export async function startRegistry(): Promise<Registry> {
  const made = await packages();
  const answers = await jsrAnswers(made);
  const server = createServer((request, response) => {
    // npm escapes the slash of a package's name, and the others do not.
    const path = decodeURIComponent(new URL(request.url ?? "/", url).pathname);
    const answer = answers.get(path);
    if (answer === undefined) return void response.writeHead(404).end("not found");
    response.writeHead(200, { "content-type": answer.type });
    response.end(request.method === "HEAD" ? undefined : answer.body);
  });
  const url = await listen(server);
  for (const [path, answer] of await npmAnswers(made, url)) answers.set(path, answer);
  return { url, close: () => close(server) };
}

async function npmAnswers({ npm }: Packages, url: string): Promise<Map<string, Answer>> {
  const manifest = (await filesOf(npm)).get("package/package.json");
  const { name, version, ...others } = JSON.parse(text(manifest));
  const path = `${name}/-/runtime-${version}.tgz`;
  const hash = (algorithm: string) => createHash(algorithm).update(npm);
  const dist = {
    tarball: `${url}${path}`,
    shasum: hash("sha1").digest("hex"),
    integrity: `sha512-${hash("sha512").digest("base64")}`,
  };
  const versions = { [version]: { name, version, ...others, dist } };
  return new Map([
    [`/${name}`, json({ name, "dist-tags": { latest: version }, versions })],
    [`/${path}`, { type: "application/octet-stream", body: npm }],
  ]);
}

async function jsrAnswers({ jsr }: Packages): Promise<Map<string, Answer>> {
  const files = await filesOf(jsr);
  const { name, version, exports } = JSON.parse(text(files.get("deno.json")));
  const manifest: Record<string, unknown> = {};
  const answers = new Map<string, Answer>();
  for (const [path, body] of files) {
    const checksum = `sha256-${createHash("sha256").update(body).digest("hex")}`;
    manifest[`/${path}`] = { size: body.length, checksum };
    const type = path.endsWith(".ts") ? "text/typescript" : "text/plain";
    answers.set(`/${name}/${version}/${path}`, { type, body });
  }
  const [scope] = name.slice(1).split("/");
  answers.set(
    `/${name}/meta.json`,
    json({ scope, name: name.split("/")[1], latest: version, versions: { [version]: {} } }),
  );
  answers.set(`/${name}/${version}_meta.json`, json({ manifest, exports }));
  return answers;
}

function json(value: unknown): Answer {
  return { type: "application/json", body: JSON.stringify(value) };
}

function text(content: Uint8Array | undefined): string {
  return new TextDecoder().decode(content);
}
