connector "ws" {
  type = "websocket"
  port = 3001
}

flow "say" {
  from {
    connector = "ws"
    event     = "message"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
