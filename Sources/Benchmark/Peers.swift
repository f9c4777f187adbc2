import Model

/// What else does the same work: Python packages in a virtual environment of their own. See Scripts/benchmark-peers.
struct Peers {
  let options: Options

  init(_ options: Options) throws { self.options = options }

  func contestants(_ kind: Worker.Kind, model: String, samples: String, batchSize: Int) throws -> [Contestant] { [] }
}
