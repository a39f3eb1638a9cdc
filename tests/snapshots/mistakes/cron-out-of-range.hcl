connector "ws" {
  type = "websocket"
  port = 3001
}

flow "tick" {
  when = "0 25 * * *"
  transform {
    at = "now()"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
