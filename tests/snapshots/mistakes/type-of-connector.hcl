connector "ws" {
  type = "ws"
  port = 3001
}
