extension Bench {
  func tokenize() throws {}
}
