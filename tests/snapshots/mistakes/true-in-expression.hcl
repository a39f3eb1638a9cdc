connector "ws" {
  type = "websocket"
  port = 3001
}

flow "say" {
  from {
    connector = "ws"
    operation = "message"
    filter    = "input.muted == True"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
