websocket "ws" {
  port = 3001
}
