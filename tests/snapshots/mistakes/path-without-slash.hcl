connector "ws" {
  type = "websocket"
  port = 3001
  path = "live"
}
