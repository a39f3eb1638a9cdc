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
    priority = 5
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
