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
    text = "'it's' + input.name"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
