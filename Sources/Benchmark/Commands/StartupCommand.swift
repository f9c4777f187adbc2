extension Bench {
  func startup() throws {}
}
