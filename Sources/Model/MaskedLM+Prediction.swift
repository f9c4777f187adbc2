/// `predict`: scores of preprocessed samples, and words for the masks of texts.
extension DistilBertMaskedLM {
  /// The scores of the vocabulary at each mask position, before any softmax: [sample][mask][vocabulary] (Keras: `predict`).
  ///
  /// All scores are in memory at once: 30,522 numbers for each mask of the base model. `rank` keeps the best alone.
  ///
  /// - Throws: `PreprocessorError` with the index of a sample that does not fit the model; `ModelUseError.inUse`.
  public func predict(_ features: MaskedLMFeatures) throws -> [[[Float]]] {
    try collect(samples(features, nil, nil), batchRows: nil) { Array(UnsafeBufferPointer(start: $0, count: $1)) }
  }

  /// The most likely word pieces of every `[MASK]` in some texts.
  ///
  ///     let answer = try maskedLM.predict(["The capital of France is [MASK]."])[0]
  ///     answer.masks[0][0].piece        // "paris"
  ///     answer.filled[0]                // "The capital of France is paris."
  ///
  /// (KerasHub's `predict` on strings hides tokens at random and returns their scores. The same here:
  /// `try maskedLM.predict(preprocessor(texts).0)`.) The figures of a text do not depend on what it is computed together with. A text
  /// longer than the preprocessor's `sequenceLength` is cut to the window around its masks.
  ///
  /// - Parameters:
  ///   - topK: word pieces per mask.
  ///   - targets: rank these words alone, each of which must be one word piece; probabilities stay those over the vocabulary.
  /// - Throws: `PredictionError` for the first text without a mask, or whose masks do not fit into one sample; `TargetError`;
  ///   `ModelUseError` without a preprocessor, or where the model is in use.
  public func predict(_ texts: [String], topK: Int = 5, targets: [String]? = nil) throws -> [MaskedTextPrediction] {
    let filler = try TextFiller(self, topK: topK, targets: targets)
    return try filler.answers(filler.prepare(all: texts) { text throws(MaskedTextError) in try filler.prepare(text) })
  }

  /// The same of pairs, whose masks may stand in either text. What does not fit is cut as in `fit`; a mask must not be.
  public func predict(
    pairs: [(String, String)], topK: Int = 5, targets: [String]? = nil
  ) throws -> [MaskedTextPrediction] {
    let filler = try TextFiller(self, topK: topK, targets: targets)
    return try filler.answers(filler.prepare(all: pairs) { pair throws(MaskedTextError) in try filler.prepare(pair) })
  }

  /// The same of a stream of lines, read as they are needed: only a batch of them is in memory.
  ///
  ///     try maskedLM.predict(lines: AnyIterator { readLine() }) { line, answer in … }
  ///
  /// - Parameters:
  ///   - lines: read once, from start to end.
  ///   - batchSize: lines that are read before they are answered together.
  ///   - body: called for each line in order, with its number from 0, and its answer or what is wrong with it.
  /// - Throws: what `body` throws; else as `predict` on texts.
  public func predict(
    lines: some Sequence<String>, topK: Int = 5, targets: [String]? = nil, batchSize: Int = 32,
    _ body: (_ line: Int, Result<MaskedTextPrediction, MaskedTextError>) throws -> Void
  ) throws {
    let filler = try TextFiller(self, topK: topK, targets: targets)
    var (batch, first) = ([String](), 0)
    func answer() throws {
      for (offset, answer) in try filler.results(batch).enumerated() { try body(first + offset, answer) }
      first += batch.count
      batch.removeAll(keepingCapacity: true)
    }
    for line in lines {
      batch.append(line)
      if batch.count >= max(1, batchSize) { try answer() }
    }
    try answer()
  }

  /// The same of lines that come when they come. The model stays with the task, or actor, that calls.
  ///
  /// - Parameter batchSize: more than 1 is faster and keeps a line waiting for those that follow.
  public func predict<Lines: AsyncSequence>(
    lines: Lines, topK: Int = 5, targets: [String]? = nil, batchSize: Int = 1,
    isolation: isolated (any Actor)? = #isolation,
    _ body: (_ line: Int, Result<MaskedTextPrediction, MaskedTextError>) async throws -> Void
  ) async throws where Lines.Element == String {
    let filler = try TextFiller(self, topK: topK, targets: targets)
    var (batch, number) = ([String](), 0)
    var iterator = lines.makeAsyncIterator()
    var isAtEnd = false
    while !isAtEnd {
      if let line = try await iterator.next(isolation: isolation) { batch.append(line) } else { isAtEnd = true }
      guard isAtEnd || batch.count >= max(1, batchSize) else { continue }
      for answer in try filler.results(batch) {
        try await body(number, answer)
        number += 1
      }
      batch.removeAll(keepingCapacity: true)
    }
  }
}

/// Fills the masks of texts with one model and one question.
private struct TextFiller {
  let model: DistilBertMaskedLM
  let preprocessor: DistilBertMaskedLMPreprocessor
  let topK: Int
  /// Ids to rank; nil: all.
  let targets: [Int]?

  /// A text as the model takes it.
  struct Prepared {
    let segments: [String]
    let sample: Sample
    let places: [[Range<Int>]]
    var notes: [String] = []
  }

  init(_ model: DistilBertMaskedLM, topK: Int, targets: [String]?) throws {
    guard let preprocessor = model.preprocessor else { throw ModelUseError.noPreprocessor }
    self.model = model
    self.preprocessor = preprocessor
    self.topK = max(0, topK)
    // Rows of the model that no word piece stands for cannot be an answer.
    let pieces = preprocessor.tokenizer.vocabulary.count
    let all = pieces < model.configuration.vocabularySize ? Array(0..<pieces) : nil
    self.targets = try targets.map { try preprocessor.tokenizer.targets($0) } ?? all
  }

  /// [MASK] is the mask in any case.
  private var specialTokensInText: WordPieceTokenizer.SpecialTokensInText {
    preprocessor.specialTokensInText == .all ? .all : .maskOnly
  }

  private var sequenceLength: Int { min(preprocessor.sequenceLength, model.configuration.maxSequenceLength) }

  func prepare(_ text: String) throws(MaskedTextError) -> Prepared {
    let masked = try MaskedText(
      Array(text.utf8), tokenizer: preprocessor.tokenizer, sequenceLength: sequenceLength,
      specialTokensInText: specialTokensInText)
    return Prepared(segments: [text], sample: masked.sample, places: [masked.masks], notes: masked.notes)
  }

  func prepare(_ pair: (String, String)) throws(MaskedTextError) -> Prepared {
    let (tokenizer, mask) = (preprocessor.tokenizer, preprocessor.tokenizer.specialTokens.mask)
    let segments = [pair.0, pair.1]
    let encodings = segments.map { tokenizer.encodeWithOffsets($0, specialTokensInText: specialTokensInText) }
    let places = zip(encodings, segments).map { encoding, segment in
      encoding.ids.indices.filter { encoding.ids[$0] == mask }
        .map { MaskedText.withoutBlanks(encoding.offsets[$0], in: Array(segment.utf8)) }
    }
    let count = places.reduce(0) { $0 + $1.count }
    guard count > 0 else { throw .noMask(maskToken: tokenizer.specialTokens.names.mask, written: nil) }
    var packer = preprocessor.packer
    packer.sequenceLength = sequenceLength
    let needed = encodings.reduce(3) { $0 + $1.ids.count }
    guard let ids = try? packer.pack(encodings.map(\.ids)), ids.count(where: { $0 == mask }) == count else {
      throw .masksTooFarApart(tokens: needed, sequenceLength: sequenceLength)
    }
    let sample = Sample(tokenIDs: ids, maskPositions: ids.indices.filter { ids[$0] == mask }.map { Int32($0) })
    let notes = needed > ids.count ? ["a pair of \(needed) tokens was cut to \(ids.count)"] : []
    return Prepared(segments: segments, sample: sample, places: places, notes: notes)
  }

  /// All of them; the first that cannot be answered is thrown.
  func prepare<Input>(
    all inputs: [Input], _ prepare: (Input) throws(MaskedTextError) -> Prepared
  ) throws(PredictionError) -> [Prepared] {
    var prepared: [Prepared] = []
    for (index, input) in inputs.enumerated() {
      do throws(MaskedTextError) {
        prepared.append(try prepare(input))
      } catch {
        throw PredictionError(index: index, cause: error)
      }
    }
    return prepared
  }

  func answers(_ prepared: [Prepared]) throws -> [MaskedTextPrediction] {
    let ranked = try model.rank(prepared.map(\.sample), topK: topK, targets: targets)
    return zip(prepared, ranked).map { text, masks in
      MaskedTextPrediction(
        segments: text.segments,
        masks: masks.map { candidates in
          candidates.map {
            .init(
              token: $0.token, piece: preprocessor.tokenizer.vocabulary.piece($0.token), probability: $0.probability)
          }
        },
        notes: text.notes, places: text.places)
    }
  }

  /// The answer to each text, or what is wrong with it.
  func results(_ texts: [String]) throws -> [Result<MaskedTextPrediction, MaskedTextError>] {
    let prepared = texts.map { text in Result { () throws(MaskedTextError) in try prepare(text) } }
    var answers = try answers(prepared.compactMap { try? $0.get() }).makeIterator()
    return prepared.compactMap { text in
      switch text {
      case .success: answers.next().map { .success($0) }
      case .failure(let error): .failure(error)
      }
    }
  }
}
