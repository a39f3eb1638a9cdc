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
    tags = ["a", "b"]
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
