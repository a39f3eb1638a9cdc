connector "ws" {
  type = "websocket"
  port = 3001
}

flow "say" {
  from {
    connector = "ws"
    operation = "message"
  }
  to {
    connector = ["ws", "ws"]
    operation = "broadcast"
  }
}
