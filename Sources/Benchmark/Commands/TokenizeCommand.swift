import Model

extension Bench {
  /// Measures converting text to ids, with more text than fits into caches.
  func tokenize() throws {
    let shape = try workload.store.baseShape()
    let text = try workload.longText(megabytes: 8)
    let path = workload.folder + "/text.txt"
    try Files.write(text, to: path)
    let model = try workload.store.directory(shape)
    let list = try contestants(.tokenize, nil, model: model, samples: path, alsoOneThread: true)
    let results = try race(list, rounds: 7, .ids)
    let megabytes = Double(text.count) / 1e6
    report.add(
      race: results, "tokenize",
      title: "tokenize: \(Words.fixed(megabytes, 1)) MB of \(workload.textSource), the library's calls",
      settings: [("megabytes", .number(megabytes)), ("text", .string(workload.textSource))],
      rate: ("MB/s", { megabytes / $0.seconds }))
  }
}
