/// Freezing of parts, which `fit` then leaves unchanged. `backbone.isTrainable` is Keras' switch for the whole encoder.
extension DistilBertMaskedLM {
  /// Freezes parts of the model, so that `fit` leaves them unchanged. Parts that were frozen before stay frozen.
  ///
  ///     try maskedLM.freeze([.embeddings, .layers(0...3)])
  ///
  /// Below the lowest trainable part, `fit` saves no activations and runs no backward pass.
  ///
  /// - Throws: `ModelUseError` for a layer that the model does not have, or if nothing would be left to train; nothing
  ///   is changed then.
  public func freeze(_ parts: [ModelPart]) throws(ModelUseError) { try setTrainable(false, parts) }

  /// Unfreezes parts of the model, so that `fit` trains them again.
  ///
  /// - Throws: `ModelUseError` for a layer that the model does not have; nothing is changed then.
  public func unfreeze(_ parts: [ModelPart]) throws(ModelUseError) { try setTrainable(true, parts) }

  private func setTrainable(_ isTrainable: Bool, _ parts: [ModelPart]) throws(ModelUseError) {
    let layers = configuration.numLayers
    for case .layers(let range) in parts where range.lowerBound < 0 || range.upperBound >= layers {
      throw .noSuchLayer(part: ModelPart.layers(range).text, layers: layers)
    }
    let parameters = network.parameters.parameters
    let chosen = network.table.rows.map { row in parts.contains { $0.contains(row) } }
    guard isTrainable || zip(parameters, chosen).contains(where: { $0.isTrainable && !$1 }) else {
      throw .nothingLeftToTrain
    }
    for (parameter, isChosen) in zip(parameters, chosen) where isChosen { parameter.isTrainable = isTrainable }
  }
}
