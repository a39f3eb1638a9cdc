type "message" {
  text = "string"
}
