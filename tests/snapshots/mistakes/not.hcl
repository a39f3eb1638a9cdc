connector "ws" {
  type = "websocket"
  port = 3001
}

flow "say" {
  from {
    connector = "ws"
    operation = "message"
    filter    = "not input.muted"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
