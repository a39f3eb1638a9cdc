connector "ws" {
  type = "websocket"
  port = env("PORT") || 3001
}
