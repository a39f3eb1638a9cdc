connector "ws" {
  type = "websocket"
  port = 3001
}

flow "say" {
  from {
    connector = "ws"
    operation = "message"
    filter    = "input.count > 1 && < 5"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
