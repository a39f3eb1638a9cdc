connector "ws" {
  type = "websocket"
  port = 3001
}

flow "say" {
  depends_on = ["ws"]
  from {
    connector = "ws"
    operation = "message"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
