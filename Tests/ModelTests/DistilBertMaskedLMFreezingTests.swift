import Testing

@testable import Model

@Suite struct DistilBertMaskedLMFreezingTests {
  private func model() throws -> DistilBertMaskedLM {
    var configuration = NetworkTests.toy
    configuration.numLayers = 3
    return try DistilBertMaskedLM(configuration: configuration, threads: 1)
  }

  private func trainable(_ model: DistilBertMaskedLM) -> [String] {
    model.network.parameters.parameters.filter(\.isTrainable).map(\.name)
  }

  @Test func refused() throws {
    let model = try model()
    let error = ModelUseError.noSuchLayer(part: "layers:1-3", layers: 3)
    #expect(throws: error) { try model.freeze([.head, .layers(1...3)]) }
    #expect(error.message == "cannot freeze layers:1-3: the model has 3 layers, 0 to 2")
    #expect(throws: ModelUseError.nothingLeftToTrain) { try model.freeze([.backbone, .head]) }
    #expect(throws: ModelUseError.self) { try model.freeze([.layers(-1...0)]) }
  }

  /// A call that throws changes nothing.
  @Test func refusedFreezingChangesNothing() throws {
    let model = try model()
    let all = trainable(model)
    #expect(throws: ModelUseError.self) { try model.freeze([.head, .layers(1...3)]) }
    #expect(throws: ModelUseError.nothingLeftToTrain) { try model.freeze([.backbone, .head]) }
    #expect(trainable(model) == all)

    try model.freeze([.head, .layers(0...0)])
    let some = trainable(model)
    #expect(some.count < all.count)
    // Freezing the rest would leave nothing to train.
    #expect(throws: ModelUseError.nothingLeftToTrain) { try model.freeze([.embeddings, .layers(1...2)]) }
    #expect(throws: ModelUseError.self) { try model.unfreeze([.head, .layers(3...3)]) }
    #expect(trainable(model) == some)
  }

  @Test func unfreeze() throws {
    let model = try model()
    let all = trainable(model)
    try model.freeze([.embeddings, .layers(0...1)])
    try model.unfreeze([.layers(1...1)])
    #expect(Set(all).subtracting(trainable(model)).allSatisfy { $0.contains("embeddings.") || $0.contains("layer.0.") })
    try model.unfreeze([.backbone])
    #expect(trainable(model) == all)
    model.backbone.isTrainable = false
    try model.unfreeze([.layers(2...2)])
    #expect(model.backbone.isTrainable)
  }
}
