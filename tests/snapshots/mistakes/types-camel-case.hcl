type "message" {
  text = string({ maxLength = 100 })
}
