connector "ws" {
  type = "websocket"
  port = 3001
}

flow "tick" {
  when = "5s"
  transform {
    at = "now()"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
