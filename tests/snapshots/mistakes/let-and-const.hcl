const port = 3001

connector "ws" {
  type = "websocket"
  port = port
}
