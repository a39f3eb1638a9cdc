# Clients join rooms of two kinds, of which one has presence.

connector "ws" {
  type = "websocket"
  port = env("BENCH_PORT", 3001)
  room "p{n}" {
    presence {
      info = "{'id': client.user_id}"
    }
  }
  room "plain{n}" {
  }
}
