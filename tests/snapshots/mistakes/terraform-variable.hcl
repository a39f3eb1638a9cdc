variable "port" {
  default = 3001
}

connector "ws" {
  type = "websocket"
  port = var.port
}
