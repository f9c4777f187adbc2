import Testing

@testable import Model
@testable import Tensor

/// Packed weights in a process that answers one short text after another.
@Suite(.enabled(if: SmallBatchGEMM.supportsPackedWeights, "the processor has no AVX2, or more than that"))
struct PackedWeightsTests {
  private let short = [
    Sample(tokenIDs: [2, 40, 4, 61, 17, 90, 4, 3], maskPositions: [2, 6], labels: [50, 70])
  ]
  /// One batch with more rows than the small-batch GEMM handles.
  private let long = (0..<8).map {
    Sample(tokenIDs: [2, 4] + Array(repeating: 40 + $0, count: 40) + [3], maskPositions: [1], labels: [50])
  }

  private func packed(_ maskedLM: DistilBertMaskedLM) -> Int {
    maskedLM.network.parameters.parameters.count { $0.packed != nil }
  }

  /// From the 33rd pass on, one matrix per pass is packed, until all are; the answers and the memory stay the same.
  @Test func packsAfterManyShortPasses() throws {
    let maskedLM = try SmallModel.micro()
    let matrices = maskedLM.network.parameters.mappedMatrices.count
    #expect(matrices == 3 * 6 + 1)
    let expected = try maskedLM.rank(short)
    for pass in 1...(32 + matrices + 3) {
      #expect(try maskedLM.rank(short) == expected)
      // One pass was before.
      #expect(packed(maskedLM) == min(max(0, pass + 1 - 32), matrices))
    }
    let corpus = SampleList(short)
    let loss = try maskedLM.evaluate(corpus).loss
    #expect(packed(maskedLM) == matrices)
    #expect(try SmallModel.micro().evaluate(corpus).loss == loss)
  }

  /// A pass with the original matrices drops the packed ones, and the next packing waits for twice as many passes.
  @Test func longPassesGiveThemBack() throws {
    let maskedLM = try SmallModel.micro()
    let (expectedShort, expectedLong) = (try maskedLM.rank(short), try maskedLM.rank(long))
    for _ in 0..<32 { _ = try maskedLM.rank(short) }
    #expect(packed(maskedLM) == 0)
    for _ in 0..<5 { _ = try maskedLM.rank(short) }
    #expect(packed(maskedLM) == 5)
    #expect(try maskedLM.rank(long) == expectedLong)
    #expect(packed(maskedLM) == 0 && !maskedLM.network.parameters.packedWeights.isInUse)
    for _ in 0..<64 { #expect(try maskedLM.rank(short) == expectedShort) }
    #expect(packed(maskedLM) == 0)
    #expect(try maskedLM.rank(short) == expectedShort)
    #expect(packed(maskedLM) == 1)
    // An empty call changes nothing; several passes at once count as a long one.
    #expect(try maskedLM.rank([]).isEmpty)
    #expect(packed(maskedLM) == 1)
    #expect(try maskedLM.rank(short + short, batchRows: 1) == expectedShort + expectedShort)
    #expect(packed(maskedLM) == 0)
  }

  /// Trained weights are not packed.
  @Test func trainingGivesThemBack() throws {
    let maskedLM = try SmallModel.micro(dropout: 0)
    let before = try maskedLM.rank(short)
    for _ in 0..<40 { _ = try maskedLM.rank(short) }
    #expect(packed(maskedLM) > 0)
    maskedLM.compile(optimizer: .adam(learningRate: 1e-2))
    try maskedLM.fit(SampleList(short), options: TrainingOptions(epochs: 2, batchSize: 1))
    #expect(packed(maskedLM) == 0 && !maskedLM.network.parameters.packedWeights.isInUse)
    let after = try maskedLM.rank(short)
    #expect(after != before)
    for _ in 0..<70 { #expect(try maskedLM.rank(short) == after) }
    #expect(packed(maskedLM) == 0)
  }

  /// Only mapped weights are packed: others have no memory to release.
  @Test func randomWeightsAreNot() throws {
    let maskedLM = try DistilBertMaskedLM(configuration: SmallModel.micro().configuration, threads: 2)
    for _ in 0..<50 { _ = try maskedLM.rank(short) }
    #expect(packed(maskedLM) == 0)
  }
}
