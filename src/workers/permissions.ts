/** What Deno lets this process do; the other runtimes let it do everything. */

/** The part of `Deno` that is used here. */
interface DenoGlobal {
  readonly permissions: {
    querySync(descriptor: { readonly name: string }): { readonly state: string };
  };
}

const PERMISSIONS = ["read", "write", "net", "env", "run", "sys"];

/** Whether a process that it starts may get all permissions without getting more than it has. */
export function mayStartAnything(): boolean {
  const { Deno } = globalThis as { readonly Deno?: DenoGlobal };
  if (Deno === undefined) return true;
  return PERMISSIONS.every((name) => Deno.permissions.querySync({ name }).state === "granted");
}
