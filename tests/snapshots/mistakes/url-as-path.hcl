connector "ws" {
  type = "websocket"
  port = 3001
  path = "wss://example.com/live"
}
