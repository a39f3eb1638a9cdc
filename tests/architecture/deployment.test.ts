/** The files of deploy/ fit each other, and the rules of the programs that read them. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { promisify } from "node:util";
import { parse, parseAllDocuments } from "yaml";
import { loadConfig } from "../../src/runtime/load.ts";
import { readConfigFiles } from "../../src/server/files.ts";
import { serviceTest } from "../support/services.ts";
import { needTool } from "../support/toolchain.ts";
import { read, root } from "./graph.ts";

const run = promisify(execFile);

/** A part of a YAML document. */
type Part = Readonly<Record<string, never>>;

/** Each kind of object, with the module of its type. */
const TYPES: Readonly<Record<string, string>> = {
  Deployment: "apps/v1",
  PodDisruptionBudget: "policy/v1",
  Service: "core/v1",
  StatefulSet: "apps/v1",
};

/** The Kubernetes files, each with its configuration and the path that says whether a pod takes clients. */
const KUBERNETES = [
  { file: "deploy/kubernetes.yaml", app: "app", ready: "/health/ready" },
  { file: "deploy/kubernetes-replicas.yaml", app: "replicas", ready: "/health/serving" },
] as const;

/** What the other files must agree with; times in seconds. */
async function configured(app: "app" | "replicas" = "app") {
  const files = await readConfigFiles(join(root, "deploy", app, "live.hcl"));
  const { connectors, service } = await loadConfig(files, { env: () => undefined });
  const options = connectors.get("ws")?.options as Record<"port" | "ping_interval", number>;
  const pings = options.ping_interval / 1_000;
  return { port: options.port, pings, shutdown: service.shutdownTimeout / 1_000 };
}

/** The objects of a Kubernetes file. */
async function objectsOf(file: string): Promise<readonly Part[]> {
  const documents = parseAllDocuments(await read(file));
  for (const { errors } of documents) assert.deepEqual(errors, [], file);
  return documents.map((document) => document.toJS());
}

test("Kubernetes knows every field of its files, and no field is missing", async () => {
  const objects = (await Promise.all(KUBERNETES.map(({ file }) => objectsOf(file)))).flat();
  assert.equal(await typeErrors(objects), "");
  // The check finds a typo.
  const wrong = JSON.stringify(objects).replace("periodSeconds", "periodSecond");
  assert.match(await typeErrors(JSON.parse(wrong)), /periodSecond\b.* does not exist/);
});

/** What the compiler says about a program with these objects; empty if their types are correct. */
async function typeErrors(objects: readonly { readonly kind?: string }[]): Promise<string> {
  const declarations = objects.map((object, index) => {
    const { kind = "" } = object;
    const type = `import("kubernetes-types/${TYPES[kind]}.d.ts").${kind}`;
    return `export const object${index}: ${type} = ${JSON.stringify(object)};`;
  });
  const folder = await mkdtemp(join(tmpdir(), "weir-kubernetes-"));
  try {
    const program = join(folder, "objects.ts");
    await writeFile(program, declarations.join("\n"));
    const args = ["check", "--quiet", "--config", join(root, "deno.json"), program];
    const env = { ...process.env, NO_COLOR: "1" };
    return await run(await needTool("deno"), args, { env }).then(() => "", ({ stderr }) => stderr);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("the Kubernetes files fit the configuration and the image", async () => {
  const dockerfile = await read("deploy/Dockerfile");
  const [, uid] = /--uid (\d+)/.exec(dockerfile) ?? [];
  for (const { file, app, ready } of KUBERNETES) {
    const { port, shutdown } = await configured(app);
    const [{ spec }, ...others] = await objectsOf(file) as readonly { readonly spec: never }[];
    const { selector, template } = spec as {
      readonly selector: { readonly matchLabels: Part };
      readonly template: { readonly metadata: { readonly labels: Part }; readonly spec: Pod };
    };
    const pod = template.spec;
    assert.deepEqual(template.metadata.labels, selector.matchLabels, file);
    for (const { spec } of others as readonly { readonly spec: { readonly selector: Part } }[]) {
      const selected: Part = spec.selector.matchLabels ?? spec.selector;
      assert.deepEqual(selected, selector.matchLabels, file);
    }
    assert.equal(pod.securityContext.runAsUser, Number(uid), file);
    const [container] = pod.containers;
    assert.deepEqual(container.ports, [{ name: "http", containerPort: port }], file);
    const [command, pause] = container.lifecycle.preStop.exec.command;
    assert.equal(command, "sleep");
    assert.equal(pod.terminationGracePeriodSeconds, Number(pause) + shutdown + 5, file);
    const paths = [container.startupProbe, container.livenessProbe, container.readinessProbe]
      .map(({ httpGet }) => [httpGet.path, httpGet.port]);
    const live = ["/health/live", "http"];
    assert.deepEqual(paths, [live, live, [ready, "http"]], file);
    const text = await read(`deploy/${app}/live.hcl`);
    for (const { name } of container.env ?? []) {
      assert.ok(text.includes(`env("${name}", `), `${file}: ${name}`);
    }
    for (const { mountPath } of container.volumeMounts ?? []) {
      assert.match(dockerfile, new RegExp(`^VOLUME ${mountPath}$`, "m"), file);
    }
  }
});

/** What the tests read of a pod. */
interface Pod {
  readonly terminationGracePeriodSeconds: number;
  readonly securityContext: { readonly runAsUser: number };
  readonly containers: readonly {
    readonly ports: readonly unknown[];
    readonly lifecycle: {
      readonly preStop: { readonly exec: { readonly command: readonly string[] } };
    };
    readonly startupProbe: Probe;
    readonly livenessProbe: Probe;
    readonly readinessProbe: Probe;
    readonly env?: readonly { readonly name: string }[];
    readonly volumeMounts?: readonly { readonly mountPath: string }[];
  }[];
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

test("compose and systemd give a shutdown the time that it may take", async () => {
  const { port, shutdown } = await configured();
  const { services } = parse(await read("deploy/compose.yaml"));
  assert.ok(parseInt(services.weir.stop_grace_period) >= shutdown + 5);
  assert.deepEqual(services.weir.ports, [`${port}:${port}`]);
  const unit = await read("deploy/weir.service");
  assert.ok(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1]) >= shutdown + 5);
});

test("the Dockerfile and the proxies name the port of the configuration", async () => {
  const { port } = await configured();
  assert.match(await read("deploy/Dockerfile"), new RegExp(`^EXPOSE ${port}$`, "m"));
  assert.match(await read("deploy/Dockerfile"), new RegExp(`http://localhost:${port}"`));
  for (const file of ["deploy/Caddyfile", "deploy/nginx.conf"]) {
    assert.match(await read(file), new RegExp(`127\\.0\\.0\\.1:${port}\\b`), file);
  }
});

test("nginx keeps a connection for longer than the interval of pings", async () => {
  const { pings } = await configured();
  for (const name of ["proxy_read_timeout", "proxy_send_timeout"]) {
    const seconds = await secondsOfNginx(name);
    assert.ok(seconds >= 2 * pings, `${name} ${seconds}s`);
  }
});

test("nginx closes an idle connection before Weir does", async () => {
  // Node and Deno announce 5 seconds; Bun waits longer.
  const seconds = await secondsOfNginx("keepalive_timeout");
  assert.ok(seconds < createServer().keepAliveTimeout / 1_000, `${seconds}s`);
});

async function secondsOfNginx(name: string): Promise<number> {
  const text = await read("deploy/nginx.conf");
  const [, seconds] = new RegExp(`^ *${name} (\\d+)s;$`, "m").exec(text) ?? [];
  return Number(seconds);
}

await serviceTest("docker-compose", "docker-compose accepts compose.yaml", async () => {
  const file = join(root, "deploy/compose.yaml");
  const compose = (env: Readonly<Record<string, string>>) => {
    const args = ["--file", file, "config", "--format", "json"];
    return run("docker-compose", args, { env: { ...process.env, ...env } });
  };
  const { stdout, stderr } = await compose({ RABBITMQ_PASSWORD: "secret" });
  assert.equal(stderr, "");
  const { environment } = JSON.parse(stdout).services.weir;
  assert.equal(environment.AMQP_URL, "amqp://weir:secret@rabbitmq:5672");
  await assert.rejects(compose({ RABBITMQ_PASSWORD: "" }), /RABBITMQ_PASSWORD is missing a value/);
});

await serviceTest("systemd-analyze", "systemd accepts weir.service", async () => {
  const folder = await mkdtemp(join(tmpdir(), "weir-unit-"));
  try {
    const unit = join(folder, "weir.service");
    const text = await read("deploy/weir.service");
    // The program must exist.
    const existing = text.replace("/usr/local/bin/weir run", `${process.execPath} run`);
    assert.notEqual(existing, text);
    await writeFile(unit, existing);
    const verify = () =>
      run("systemd-analyze", ["verify", "--man=no", "--recursive-errors=no", unit]);
    const { stdout, stderr } = await verify();
    assert.deepEqual([stdout, stderr], ["", ""]);
    await writeFile(unit, existing.replace("KillMode=mixed", "KillMode=mixt"));
    await assert.rejects(verify(), /Failed to parse kill mode/);
  } finally {
    await rm(folder, { recursive: true });
  }
});
