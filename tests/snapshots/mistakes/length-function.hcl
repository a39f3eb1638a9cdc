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
    count = "length(input.tags)"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
