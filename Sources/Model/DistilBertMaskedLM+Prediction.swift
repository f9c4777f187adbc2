/// `predict`: the scores of preprocessed samples, and words for the masks of texts. `MaskFiller` does the work.
extension DistilBertMaskedLM {
  /// Returns the scores of the vocabulary at each mask position, before the softmax: [sample][mask][vocabulary] (Keras:
  /// `predict`).
  ///
  /// All scores are in memory at once: 30,522 numbers for each mask of the base model. `rank` keeps only the best.
  ///
  /// - Throws: `PreprocessorError` with the index of a sample that does not fit the model; `ModelUseError.inUse`.
  public func predict(_ features: MaskedLMFeatures) throws -> [[[Float]]] {
    try collect(samples(features, nil, nil), batchRows: nil) { Array(UnsafeBufferPointer(start: $0, count: $1)) }
  }

  /// Returns the most likely words for every `[MASK]` in texts.
  ///
  ///     let answer = try maskedLM.predict(["The capital of France is [MASK]."])[0]
  ///     answer.masks[0][0].piece        // "paris"
  ///     answer.filled[0]                // "The capital of France is paris."
  ///
  /// (KerasHub's `predict` on strings masks tokens at random and returns their scores;
  /// `maskedLM.predict(preprocessor(texts).0)` is the equivalent here.) The result for a text does not depend on the
  /// other texts. A text longer than the preprocessor's `sequenceLength` is cut to the window around its masks.
  ///
  /// - Parameters:
  ///   - topK: candidates per mask; with `jointly`, fillings per text.
  ///   - targets: the words to rank; probabilities are still those over the whole vocabulary. A word of several word
  ///     pieces fills that many masks, and its probability is the product of theirs, each given those before it.
  ///   - jointly: whether to fill the masks of a text together, by beam search, so that each sees what replaces the
  ///     others; targets must then be single word pieces.
  /// - Throws: `PredictionError` for the first text that has no mask or whose masks do not fit into one sample;
  ///   `ModelUseError` if a target cannot be ranked, or if the model has no preprocessor or is in use;
  ///   `CancellationError` if the task is canceled.
  public func predict(
    _ texts: [String], topK: Int = 5, targets: [String]? = nil, jointly: Bool = false
  ) throws -> [MaskedTextPrediction] {
    let filler = try MaskFiller(self, MaskFiller.Question(topK: topK, targets: targets, isJoint: jointly))
    return try predict(texts, with: filler) { text throws(MaskedTextError) in try filler.prepare(Array(text.utf8)) }
  }

  /// Returns the most likely words for the masks of pairs, in either text. A pair that is too long is cut as in `fit`;
  /// masks must not be cut off.
  public func predict(
    pairs: [(String, String)], topK: Int = 5, targets: [String]? = nil, jointly: Bool = false
  ) throws -> [MaskedTextPrediction] {
    let filler = try MaskFiller(self, MaskFiller.Question(topK: topK, targets: targets, isJoint: jointly))
    return try predict(pairs, with: filler) { pair throws(MaskedTextError) in
      try filler.prepare(pair: (Array(pair.0.utf8), Array(pair.1.utf8)))
    }
  }

  /// Throws for the first input that has no answer.
  private func predict<Input>(
    _ inputs: [Input], with filler: MaskFiller, _ prepare: (Input) throws(MaskedTextError) -> MaskFiller.Prepared
  ) throws -> [MaskedTextPrediction] {
    var prepared: [MaskFiller.Prepared] = []
    for (index, input) in inputs.enumerated() {
      try Task.checkCancellation()
      do throws(MaskedTextError) {
        prepared.append(try prepare(input))
      } catch {
        throw PredictionError(index: index, cause: error)
      }
    }
    return try filler.answers(to: prepared).enumerated().map { index, answer in
      try answer.mapError { PredictionError(index: index, cause: $0) }.get()
    }
  }

  /// Finds the most likely words for the masks of a stream of lines. Only one batch of lines is in memory.
  ///
  ///     try maskedLM.predict(lines: AnyIterator { readLine() }) { line, answer in … }
  ///
  /// - Parameters:
  ///   - lines: read once, from start to end.
  ///   - batchSize: the number of lines to read before they are answered together.
  ///   - body: called for each line in order, with its number from 0 and its answer or error.
  /// - Throws: the error of `body`; otherwise as `predict` on texts.
  public func predict(
    lines: some Sequence<String>, topK: Int = 5, targets: [String]? = nil, jointly: Bool = false, batchSize: Int = 32,
    _ body: (_ line: Int, Result<MaskedTextPrediction, MaskedTextError>) throws -> Void
  ) throws {
    let filler = try MaskFiller(self, MaskFiller.Question(topK: topK, targets: targets, isJoint: jointly))
    var (batch, first) = ([String](), 0)
    func answer() throws {
      for (offset, answer) in try answers(to: batch, with: filler).enumerated() { try body(first + offset, answer) }
      first += batch.count
      batch.removeAll(keepingCapacity: true)
    }
    for line in lines {
      batch.append(line)
      if batch.count >= max(1, batchSize) { try answer() }
    }
    try answer()
  }

  /// Finds the most likely words for the masks of lines that arrive over time. The model stays with the calling task or
  /// actor.
  ///
  /// - Parameter batchSize: the number of lines to answer together; more than 1 is faster, but a line waits for those
  ///   that follow.
  public func predict<Lines: AsyncSequence>(
    lines: Lines, topK: Int = 5, targets: [String]? = nil, jointly: Bool = false, batchSize: Int = 1,
    isolation: isolated (any Actor)? = #isolation,
    _ body: (_ line: Int, Result<MaskedTextPrediction, MaskedTextError>) async throws -> Void
  ) async throws where Lines.Element == String {
    let filler = try MaskFiller(self, MaskFiller.Question(topK: topK, targets: targets, isJoint: jointly))
    var (batch, number) = ([String](), 0)
    var iterator = lines.makeAsyncIterator()
    var isAtEnd = false
    while !isAtEnd {
      if let line = try await iterator.next(isolation: isolation) { batch.append(line) } else { isAtEnd = true }
      // Many streams end when their task is canceled.
      try Task.checkCancellation()
      guard isAtEnd || batch.count >= max(1, batchSize) else { continue }
      for answer in try answers(to: batch, with: filler) {
        try await body(number, answer)
        number += 1
      }
      batch.removeAll(keepingCapacity: true)
    }
  }

  private func answers(to texts: [String], with filler: MaskFiller) throws -> [MaskFiller.Answer] {
    try Task.checkCancellation()
    return try filler.answers(
      to: texts.map { text in Result { () throws(MaskedTextError) in try filler.prepare(Array(text.utf8)) } })
  }
}
