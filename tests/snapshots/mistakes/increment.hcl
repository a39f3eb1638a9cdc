connector "ws" {
  type = "websocket"
  port = 3001
}

flow "say" {
  from {
    connector = "ws"
    operation = "message"
    filter    = "input.count++ > 3"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
