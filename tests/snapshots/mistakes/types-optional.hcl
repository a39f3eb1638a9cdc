type "message" {
  text   = string
  author = string | null
}
