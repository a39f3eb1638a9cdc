/** Other programs that fan out: their configuration and their protocol. */
import type { ServerSpec } from "../servers.ts";
import type { Dialect } from "./room.ts";

/** Debian's path of nginx's module. */
export const nchanModule = "/usr/lib/nginx/modules/ngx_nchan_module.so";

/** nginx with nchan, one worker: a channel that is published to over a WebSocket. */
export const nchan: ServerSpec = {
  name: "nchan",
  args: ["nginx", "-p", "{folder}", "-c", "{folder}/nginx.conf", "-e", "stderr"],
  files: (port) => ({
    "nginx.conf": `load_module ${nchanModule};
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr;
events {
  worker_connections 4096;
}
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server {
    listen 127.0.0.1:${port} backlog=1024;
    location = /sub {
      nchan_subscriber websocket;
      nchan_channel_id r;
      nchan_subscriber_first_message newest;
    }
    location = /pub {
      nchan_publisher websocket;
      nchan_channel_id r;
      nchan_message_buffer_length 1000;
    }
  }
}
`,
  }),
};

/** Subscribers receive what was published. */
export const nchanDialect: Dialect = {
  path: "/sub",
  senderPath: "/pub",
  frame: (data) => data,
  copy: (data) => data,
};

/** Mosquitto with a listener for MQTT over WebSockets. */
export const mosquitto: ServerSpec = {
  name: "mosquitto",
  args: ["mosquitto", "-c", "{folder}/mosquitto.conf"],
  files: (port) => ({
    "mosquitto.conf": `listener ${port} 127.0.0.1
protocol websockets
allow_anonymous true
persistence false
set_tcp_nodelay true
log_type error
log_dest stderr
`,
  }),
};

/** MQTT 3.1.1 with quality of service 0, the topic "r". */
export const mqttDialect: Dialect = {
  path: "/mqtt",
  protocol: "mqtt",
  // CONNECT: a clean session, no keep-alive, no client id. SUBSCRIBE: packet 1.
  greeting: { frame: "hex:100c00044d515454040200000000", frames: 1 },
  join: { frame: "hex:8206000100017200", frames: 1 },
  frame: publish,
  copy: publish,
};

/** PUBLISH; the placeholder of nine digits stays one. */
function publish(data: string): string {
  const topic = "000172";
  const length = data.replaceAll("%N", "123456789").length + topic.length / 2;
  if (length > 127) throw new RangeError("a longer message would need a longer header");
  const payload = data.split("%N").map((part) => new TextEncoder().encode(part).toHex());
  return `hex:30${length.toString(16).padStart(2, "0")}${topic}${payload.join("%N")}`;
}
