/** The proxies of deploy/, in front of Weir on each runtime. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import {
  type Certificate,
  makeCertificate,
  openTunnel,
  secureGet,
} from "../support/certificate.ts";
import { freePort } from "../support/ports.ts";
import { onAllRuntimes, type Process, root, type Stage, type Weir } from "../support/process.ts";
import { type Service, serviceTest } from "../support/services.ts";
import { handshakeText, SocketClient } from "../support/socket-client.ts";
import { until } from "../support/socket-probe.ts";
import { StreamClient } from "../support/stream-client.ts";
import { ack } from "../support/talk.ts";

/** Shows what the proxy says about a client. */
const who = `
flow "who" {
  from {
    connector = "ws"
    operation = "who"
  }
  response {
    proto     = "client.headers['x-forwarded-proto']"
    address   = "client.remote_addr"
    said      = "client.headers['x-forwarded-for']"
    forwarded = "client.headers['forwarded']"
    host      = "client.headers['host']"
  }
}
`;

/** Where a proxy listens, and where it finds Weir. */
interface Places {
  readonly port: number;
  readonly target: number;
  readonly certificate: Certificate;
}

/** Writes a proxy's configuration for these places into a folder. Returns its command. */
type Prepare = (folder: string, places: Places) => Promise<readonly string[]>;

/** The text of a file with other words; each must be in it. */
function replaceAll(text: string, words: Readonly<Record<string, string>>): string {
  for (const [word, other] of Object.entries(words)) {
    assert.ok(text.includes(word), `${word} in ${text}`);
    text = text.replaceAll(word, other);
  }
  return text;
}

async function prepareNginx(folder: string, places: Places): Promise<readonly string[]> {
  const { port, target, certificate } = places;
  const site = replaceAll(await readFile(join(root, "deploy/nginx.conf"), "utf8"), {
    "listen 443 ssl;": `listen 127.0.0.1:${port} ssl;`,
    "listen [::]:443 ssl;": "",
    "127.0.0.1:3000;": `127.0.0.1:${target};`,
    "server_name live.example.com;": "server_name localhost;",
    "/etc/letsencrypt/live/live.example.com/fullchain.pem": certificate.cert,
    "/etc/letsencrypt/live/live.example.com/privkey.pem": certificate.key,
  });
  await mkdir(join(folder, "nginx"));
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const main = `
    daemon off;
    ${process.getuid?.() === 0 ? "user root;" : ""}
    pid nginx/nginx.pid;
    events {}
    http {
      access_log off;
      ${temporary.map((name) => `${name}_temp_path nginx/${name};`).join("\n      ")}
      include site.conf;
    }
  `;
  await writeFile(join(folder, "site.conf"), site);
  await writeFile(join(folder, "main.conf"), main);
  const command = ["/usr/sbin/nginx", "-p", folder, "-c", "main.conf", "-e", "stderr"];
  // It writes to standard error that the test is successful.
  const { stderr } = await promisify(execFile)(command[0], [...command.slice(1), "-t"]);
  assert.doesNotMatch(stderr, /\[(?:warn|error|emerg)\]/);
  return command;
}

async function prepareCaddy(folder: string, places: Places): Promise<readonly string[]> {
  const { port, target, certificate } = places;
  const site = await readFile(join(root, "deploy/Caddyfile"), "utf8");
  const text = replaceAll(site, {
    "live.example.com {": `localhost:${port} {\n\ttls ${certificate.cert} ${certificate.key}`,
    "127.0.0.1:3000": `127.0.0.1:${target}`,
  });
  const options = "{\n\tadmin off\n\tauto_https disable_redirects\n}\n";
  await writeFile(join(folder, "Caddyfile"), options + text);
  const adapter = ["--adapter", "caddyfile"];
  // The file as it is, and its format.
  const original = join(root, "deploy/Caddyfile");
  await promisify(execFile)("/usr/bin/caddy", ["validate", "--config", original, ...adapter], {
    env: { ...process.env, HOME: folder },
  });
  const formatted = await promisify(execFile)("/usr/bin/caddy", ["fmt", original]);
  assert.equal(formatted.stdout, site);
  return ["/usr/bin/caddy", "run", "--config", join(folder, "Caddyfile"), ...adapter];
}

const proxies: Readonly<Partial<Record<Service, Prepare>>> = {
  nginx: prepareNginx,
  caddy: prepareCaddy,
};

for (const [name, prepare] of Object.entries(proxies)) {
  await serviceTest(
    name as Service,
    `${name} in front of Weir: the files of deploy/`,
    () => onAllRuntimes((stage) => serveBehind(stage, prepare)),
  );
}

async function serveBehind(stage: Stage, prepare: Prepare): Promise<void> {
  const app = join(stage.folder, "app");
  await cp(join(root, "deploy/app"), app, { recursive: true });
  await writeFile(join(app, "who.hcl"), who);
  const service = join(app, "live.hcl");
  const text = await readFile(service, "utf8");
  await writeFile(
    service,
    replaceAll(text, { 'path = "/ws"': 'path = "/ws"\n  sse  = "/events"' }),
  );
  const weir = await stage.run(["app", "--port", "ws=0"], { env: { HOST: "127.0.0.1" } });
  const certificate = await makeCertificate(stage.folder, "cert");
  const port = await freePort();
  const [program, ...args] = await prepare(stage.folder, { port, target: weir.port, certificate });
  const env = { HOME: stage.folder, XDG_DATA_HOME: stage.folder, XDG_CONFIG_HOME: stage.folder };
  const proxy = stage.command(program, args, { env });
  const ready = async () => {
    const { status } = await secureGet(port, "/health/ready", certificate);
    return status === 200;
  };
  await until("the proxy", () => ready().catch(() => false), 50);
  const tunnel = await openTunnel(port, certificate);
  try {
    await talkThrough(tunnel.port, weir);
  } finally {
    await tunnel.close();
  }
  await endOf(proxy);
}

/** What clients of a service behind a proxy see, until Weir ends. */
async function talkThrough(port: number, weir: Weir): Promise<void> {
  const ada = await openClient(port);
  const bob = await openClient(port);
  const address = await ada.ask({ type: "who", id: 0 });
  assert.deepEqual(address, {
    ...ack(0),
    data: {
      proto: "https",
      address: "127.0.0.1",
      said: "127.0.0.1",
      forwarded: null,
      host: "localhost",
    },
  });
  const text = "x".repeat(1_999) + "✓";
  ada.say({ type: "message", data: { text }, id: 1 });
  const said = { type: "message", data: { text } };
  const answers = await ada.hearMany(2);
  assert.deepEqual(answers.find(({ type }) => type === "message"), said);
  assert.deepEqual(answers.find(({ type }) => type === "ack"), ack(1));
  assert.deepEqual(await bob.hear(), said);

  // A stream passes as well, byte by byte: its first comment, and each message at once.
  const eve = await StreamClient.send(port, "/events", { headers: { Host: "localhost" } });
  assert.equal((await eve.head()).status, 200);
  await eve.heartbeats(1);
  bob.say({ type: "message", data: { text: "to the stream" }, id: 2 });
  assert.deepEqual(await eve.hear(), { type: "message", data: { text: "to the stream" } });
  assert.equal((await ada.hear()).type, "message");
  await bob.hearMany(2);

  // A refusal that a script can see passes, and its close code.
  const refused = await SocketClient.connect(port);
  const headers = { "Sec-WebSocket-Protocol": "weir.1" };
  refused.write(handshakeText(`/ws?user_id=${"x".repeat(256)}`, { headers }));
  assert.equal((await refused.upgraded()).headers.get("sec-websocket-protocol"), "weir.1");
  assert.equal((await refused.hear()).code, "invalid_message");
  assert.deepEqual(await refused.ending(), { code: 4403, reason: "invalid_message" });

  bob.close(1000);
  assert.equal((await bob.ending()).code, 1000);
  weir.signal("SIGTERM");
  assert.deepEqual((await ada.ending()).code, 1001);
  assert.equal((await eve.ending()).code, 1001);
  assert.equal((await weir.ended()).code, 0, weir.output);
}

/** A client that claims another address. */
async function openClient(port: number): Promise<SocketClient> {
  const client = await SocketClient.connect(port);
  const headers = { "X-Forwarded-For": "192.0.2.1", "Forwarded": "for=192.0.2.1" };
  client.write(handshakeText("/ws", { headers }));
  await client.upgraded();
  return client;
}

async function endOf(proxy: Process): Promise<void> {
  proxy.signal("SIGTERM");
  assert.equal((await proxy.ended()).code, 0, proxy.output);
}
