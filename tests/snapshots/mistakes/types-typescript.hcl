type "message" {
  text: string
  count: number
}
