extension Bench {
  func growth() throws {}
}
