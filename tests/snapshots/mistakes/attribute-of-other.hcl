connector "ws" {
  type = "websocket"
  port = 3001
  url  = "ws://localhost:3001"
}
