type "message" {
  tags = string[]
}
