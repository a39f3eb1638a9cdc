/**
 * The components of docs/client.md as pages. The framework's own compiler compiles a component, and
 * `deno bundle` makes it one script. The page has a function `enter(name)`, which shows another room,
 * or none where the name is empty.
 */
// Deno alone runs this file, and nothing else needs the packages: they are named here.
// deno-lint-ignore-file no-import-prefix
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { compile } from "npm:svelte@5.57.3/compiler";
import { compileScript, parse } from "npm:vue@3.5.45/compiler-sfc";
import { blockOf } from "./markdown.ts";
import { root, type Stage } from "./process.ts";
import { needTool } from "./toolchain.ts";

/** The frameworks that docs/client.md has a component for. */
export type Framework = "React" | "Vue" | "Svelte";

/** What the pages import. React's compiler is that of Deno, which knows JSX. */
const IMPORTS = {
  "react": "npm:react@19.3.1",
  "react-dom": "npm:react-dom@19.3.1",
  "svelte": "npm:svelte@5.57.3",
  "vue": "npm:vue@3.5.45",
  "@weir/runtime/client": pathToFileURL(join(root, "src/client/mod.ts")).href,
};

const JSX = { jsx: "react-jsx", jsxImportSource: "react" };

/** The modules of a page by their names; `main.jsx` is the one that the page loads. */
type Modules = Readonly<Record<string, string>>;

const makers: Readonly<Record<Framework, (markdown: string) => Modules>> = {
  React: (markdown) => ({
    "Chat.jsx": blockOf(markdown, "jsx"),
    // StrictMode runs each effect twice.
    "main.jsx": `
      import { StrictMode } from "react";
      import { createRoot } from "react-dom/client";
      import { Chat } from "./Chat.jsx";
      const root = createRoot(document.querySelector("main"));
      globalThis.enter = (name) =>
        root.render(<StrictMode>{name && <Chat key={name} name={name} />}</StrictMode>);
    `,
  }),
  Vue: (markdown) => ({
    "Chat.js": compileVue(blockOf(markdown, "vue")),
    "main.jsx": `
      import { createApp, h, ref } from "vue";
      import Chat from "./Chat.js";
      const room = ref("");
      globalThis.enter = (name) => room.value = name;
      createApp(() => room.value && h(Chat, { key: room.value, name: room.value })).mount("main");
    `,
  }),
  Svelte: (markdown) => ({
    "Chat.js": compileSvelte(blockOf(markdown, "svelte")),
    "Page.js": compileSvelte(`
      <script>
        import Chat from "./Chat.js";
        let room = $state("");
        globalThis.enter = (name) => room = name;
      </script>
      {#key room}{#if room}<Chat name={room} />{/if}{/key}
    `),
    "main.jsx": `
      import { mount } from "svelte";
      import Page from "./Page.js";
      mount(Page, { target: document.querySelector("main") });
    `,
  }),
};

/** Makes the page of a framework in the folder `public` of a stage. */
export async function makePage(stage: Stage, framework: Framework, markdown: string) {
  const source = join(stage.folder, "page");
  const output = join(stage.folder, "public");
  await mkdir(source);
  const config = { imports: IMPORTS, compilerOptions: JSX, nodeModulesDir: "none", lock: false };
  const files: Modules = {
    ...makers[framework](markdown),
    "weir.js": blockOf(markdown, "js"),
    "deno.json": JSON.stringify(config),
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(source, name), text);
  const args = ["bundle", "--quiet", "--platform", "browser", "-o", join(output, "page.js")];
  const bundle = stage.command(await needTool("deno"), [...args, "main.jsx"], { cwd: source });
  // The first one on a machine downloads the packages.
  const { code, stderr } = await bundle.ended(120_000);
  assert.equal(code, 0, stderr);
  await writeFile(
    join(output, "index.html"),
    `<!doctype html><title>${framework}</title><main></main><script src="page.js" type="module"></script>`,
  );
}

function compileVue(source: string): string {
  const { descriptor, errors } = parse(source, { filename: "Chat.vue" });
  assert.deepEqual(errors, []);
  return compileScript(descriptor, { id: "chat", inlineTemplate: true }).content;
}

function compileSvelte(source: string): string {
  const { js, warnings } = compile(source, { filename: "Chat.svelte", generate: "client" });
  assert.deepEqual(warnings.map(({ message }) => message), []);
  return js.code;
}
