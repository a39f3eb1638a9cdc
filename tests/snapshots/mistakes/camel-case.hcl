connector "ws" {
  type         = "websocket"
  port         = 3001
  pingInterval = "30s"
}
