/// The masked-language-model head of a model, from hidden states to scores of the vocabulary (KerasHub: `MaskedLMHead`;
/// Devlin et al. 2019, "BERT", 3.1).
///
///     logits = norm(gelu(x·Wᵀ + b))·Eᵀ + c
///
/// E is the token embedding, shared with the backbone, or the head's own matrix.
///
///     let states = try maskedLM.backbone(features)                       // [sample][token][width]
///     let logits = try maskedLM.maskedLMHead(states, maskPositions: [[2, 4]])
///
/// The head belongs to its model and shares its threads and memory, so they compute one call at a time: other calls
/// throw `ModelUseError.inUse`.
public final class MaskedLMHead {
  private let network: Network
  private let compute: Compute

  init(_ network: Network, _ compute: Compute) {
    self.network = network
    self.compute = compute
  }

  /// The number of scores per mask.
  public var vocabularySize: Int { network.configuration.vocabularySize }

  /// Returns the scores of the vocabulary, before the softmax: [sample][mask][vocabulary].
  ///
  /// - Parameters:
  ///   - hiddenStates: the backbone's result: [sample][token][width].
  ///   - maskPositions: [sample][mask]: the indices of the tokens to score.
  /// - Throws: `PreprocessorError` if the number of samples, a width or a position does not fit; `ModelUseError.inUse`.
  public func callAsFunction(_ hiddenStates: [[[Float]]], maskPositions: [[Int]]) throws -> [[[Float]]] {
    guard maskPositions.count == hiddenStates.count else {
      throw PreprocessorError.samplesDiffer(
        what: "rows of mask positions", found: maskPositions.count, expected: hiddenStates.count)
    }
    let width = network.configuration.hiddenDim
    var rows: [[Float]] = []
    for (sample, positions) in maskPositions.enumerated() {
      let states = hiddenStates[sample]
      for (slot, position) in positions.enumerated() {
        guard states.indices.contains(position) else {
          throw PreprocessorError.badSample(
            .index(sample), .positionOutside(slot: slot, position: position, length: states.count))
        }
        guard states[position].count == width else {
          throw PreprocessorError.badSample(
            .index(sample),
            .lengthsDiffer(
              name: "the hidden state", count: states[position].count, other: "the model's width", expected: width))
        }
        rows.append(states[position])
      }
    }
    var scores = try self.scores(rows).makeIterator()
    return maskPositions.map { positions in positions.compactMap { _ in scores.next() } }
  }

  /// Returns the scores of each hidden state.
  private func scores(_ states: [[Float]]) throws -> [[Float]] {
    guard !states.isEmpty else { return [] }
    return try compute.exclusiveAccess.claim {
      let context = compute.joint
      return context.temporary {
        let x = context.matrix(states.count, network.configuration.hiddenDim)
        for (row, values) in states.enumerated() {
          values.withUnsafeBufferPointer {
            if let base = $0.baseAddress { x[row].update(from: base, count: x.columns) }
          }
        }
        var scores: [[Float]] = []
        network.head.forEachLogits(network.head.forward(x, context).n, rows: Head.inferenceRows, context) {
          rows, logits in
          for row in 0..<rows.count {
            scores.append(Array(UnsafeBufferPointer(start: logits[row], count: logits.columns)))
          }
        }
        return scores
      }
    }
  }
}
