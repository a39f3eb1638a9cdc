connector "ws" {
  type = "websocket"
  port = 3001
}

flow "say" {
  from {
    connector = "ws"
    operation = "message"
  }
  transform {
    text = "concat(input.first, input.last)"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
