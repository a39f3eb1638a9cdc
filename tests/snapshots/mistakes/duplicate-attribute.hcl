connector "ws" {
  type = "websocket"
  port = 3001
  port = 3002
}
