connector "ws" {
  type = "websocket"
  port = 3001
}

flow "tick" {
  when = "every 5 seconds"
  transform {
    at = "now()"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
