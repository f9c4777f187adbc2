extension Bench {
  func memory() throws {}
}
