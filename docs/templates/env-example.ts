/** The .env.example of a template: every variable that its configuration reads. */

/** What a variable is for. The generator fails for a variable that is not listed. */
const PURPOSES: Readonly<Record<string, string>> = {
  PORT: "The port of the page, the WebSocket and the HTTP requests.",
  CHAT_DB: "The SQLite file. A relative path begins at the folder of chat.hcl.",
  DASHBOARD_DB: "The SQLite file. A relative path begins at the folder of dashboard.hcl.",
  NOTIFICATIONS_DB: "The SQLite file. A relative path begins at the folder of notifications.hcl.",
  IOT_DB: "The SQLite file. A relative path begins at the folder of iot.hcl.",
};

/** A call of `env` with a literal default: `env("PORT", 3000)`. */
const CALL = /\benv\("(\w+)"(?:, ("[^"]*"|\d+))?\)/g;

/** The text of the file, from the files of a template by their paths. */
export function envExample(template: string, files: ReadonlyMap<string, string>): string {
  const variables = new Map<string, string>();
  for (const [path, text] of files) {
    if (!path.endsWith(".hcl")) continue;
    for (const [, name, value = '""'] of text.matchAll(CALL)) {
      variables.set(name, String(JSON.parse(value)));
    }
  }
  const entries = [...variables].map(([name, value]) => {
    const purpose = PURPOSES[name];
    if (purpose === undefined) throw new Error(`${template}: describe ${name} in env-example.ts`);
    return `# ${purpose}\n${name}=${value}\n`;
  });
  return `# Copy this file to .env. Variables that the environment already has are not replaced.

${entries.join("\n")}`;
}
