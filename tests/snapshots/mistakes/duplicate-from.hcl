connector "ws" {
  type = "websocket"
  port = 3001
}

flow "say" {
  from {
    connector = "ws"
    operation = "message"
  }
  from {
    connector = "ws"
    operation = "greeting"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
