import { loadConfig, ConfigError } from "./mod.ts";
const cases: [string,string][] = [
 ["from without connector", `connector "ws" {\n type = "websocket"\n port = 1\n}\nflow "f" {\n from {\n  operation = "message"\n }\n}`],
 ["from empty connector", `connector "ws" {\n type = "websocket"\n port = 1\n}\nflow "f" {\n from {\n  connector = ""\n }\n}`],
 ["two ws without port", `connector "a" {\n type = "websocket"\n}\nconnector "b" {\n type = "websocket"\n}`],
 ["size list", `connector "a" {\n type = "websocket"\n port=1\n max_message_size=["64KB"]\n}`],
 ["mq no driver", `connector "a" {\n type = "mq"\n}\nflow "f" {\n from {\n  connector="a"\n operation="x"\n }\n to {\n  connector="a"\n }\n}`],
 ["mq bad ex", `connector "a" {\n type = "mq"\n driver="rabbitmq"\n exchange {\n }\n queue {\n }\n consumer {\n  prefetch="x"\n }\n}\nflow "f" {\n from {\n  connector="a"\n operation="x"\n }\n to {\n  connector="a"\n }\n}`],
 ["rest no port", `connector "a" {\n type = "rest"\n}\nflow "f" {\n from {\n  connector="a"\n }\n}`],
 ["path number", `connector "a" {\n type = "websocket"\n port=1\n path="//"\n}`],
 ["constants label", `constants "x" {\n a = 1\n}`],
 ["connector no type type dup", `connector {\n}\nconnector "" {\n}\nconnector "a" "b" {\n type="websocket"\n port=0\n}`],
 ["type failed", `connector "a" {\n type=env("X")\n}\nflow "f" {\n from {\n connector="a"\n}\n}`],
 ["type number", `connector "a" {\n type=1\n}\nconnector "b" {\n type=["websocket"]\n}\nconnector "c" {\n type="toString"\n}`],
 ["db", `connector "db" {\n type="database"\n}\nflow "f" {\n when="@every 1s"\n to {\n  connector="db"\n  query="SELECT"\n target="x"\n }\n to {\n connector="nope"\n foo=1\n }\n to {\n }\n to {\n connector=5\n}\n}`],
 ["from is db", `connector "db" {\n type="database"\n driver="sqlite"\n database=":memory:"\n}\nflow "f" {\n from {\n  connector="db"\n }\n}`],
 ["to is rest", `connector "r" {\n type="rest"\n port=1\n}\nflow "f" {\n when="@every 1s"\n to {\n connector="r"\n foo=1\n}\n}`],
 ["client schedule", `flow "f" {\n when="@every 1s"\n transform {\n a="client.id"\n}\n}`],
 ["empty flow", `flow "f" {\n}`],
 ["empty file", ``],
 ["failed from", `flow "f" {\n from {\n connector=env("X")\n}\n transform {\n a="client.id"\n b="nope.x"\n}\n}`],
];
for (const [n, t] of cases) {
  console.log("==", n);
  try { const m = await loadConfig(t); console.log("OK", m.connectors.size, m.flows.length); }
  catch (e) { console.log(e instanceof ConfigError ? e.problems.map(p=>`${p.line}:${p.column}+${p.length} ${p.message} | ${p.hint}`).join("\n") : e); }
}
