connector "ws" {
  type = "websocket"
  port = 3001
}

flow "say" {
  from {
    connector = "ws"
    operation = "message"
  }
  if "input.room != null" {
    to {
      connector = "ws"
      operation = "broadcast"
    }
  }
}
