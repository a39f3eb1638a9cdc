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
    author = "step.author.name"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
