connector "ws" {
  type = "websocket"
  port = 3001
}

flow "tick" {
  when = "0 0 12 * * 1 2026"
  transform {
    at = "now()"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
