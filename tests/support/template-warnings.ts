/** What `weir check` and a start warn of in the templates of `weir init`. */
import assert from "node:assert/strict";

/** Two templates have presence and no auth, and say so at their blocks. */
const WARNING =
  /^warning\[unverified-user\]: connector "\w+" \(websocket\) has presence in room "[^"]+", and no auth: anybody may be anybody\n(?:[ \d]*[┌│].*\n)+\n?/gm;
const WARNED: readonly string[] = ["chat", "iot"];

/** Returns standard error without the one warning of these templates. Others have none. */
export function withoutTemplateWarning(template: string, stderr: string): string {
  const warnings = stderr.match(WARNING) ?? [];
  assert.equal(warnings.length, WARNED.includes(template) ? 1 : 0, stderr);
  return stderr.replaceAll(WARNING, "");
}
