import Foundation
import Testing

@testable import Model

@Suite struct MaskGeneratorTests {
  static let special: [Int32] = [0, 2, 3, 4]  // [PAD] [CLS] [SEP] [MASK]; 1 is [UNK]

  func generator(vocabulary: Int = 64, _ options: MaskingOptions) throws -> MaskedLMMaskGenerator {
    try MaskedLMMaskGenerator(
      vocabularySize: vocabulary, maskTokenID: 4, unselectableTokenIDs: Self.special, options: options)
  }

  /// [CLS] 5 6 7 … [SEP]
  func sequence(_ count: Int) -> [Int32] { [2] + (0..<Int32(count)).map { 5 + $0 % 59 } + [3] }

  /// Pearson's statistic, as a number of standard deviations above its mean.
  func chiSquareExcess(_ observed: [Int], expected: Double) -> Double {
    let chi = observed.reduce(0.0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
    let freedom = Double(observed.count - 1)
    return (chi - freedom) / (2 * freedom).squareRoot()
  }

  /// The counts of KerasHub's TensorFlow path.
  @Test func countsOfTheReference() throws {
    struct Counts: Decodable { let rows: [[Double]] }
    let data = try Data(contentsOf: Golden.url("preprocessor/selection_counts.json"))
    let rows = try JSONDecoder().decode(Counts.self, from: data).rows
    #expect(rows.count > 200)
    for row in rows {
      let (rate, selectable, length, selected) = (row[0], Int(row[1]), Int(row[2]), Int(row[3]))
      let generator = try generator(MaskingOptions(selectionRate: rate, selectionLength: length))
      for index in 0..<3 {
        let sample = generator(sequence(selectable), index: index)
        #expect(sample.maskPositions.count == selected, "\(row)")
        #expect(Set(sample.maskPositions).count == selected)
        #expect(sample.maskPositions == sample.maskPositions.sorted())
        #expect(sample.weights == [Float](repeating: 1, count: selected))
      }
    }
  }

  @Test func labelsAreTheOriginalsAndNothingElseChanges() throws {
    let generator = try generator(MaskingOptions(selectionRate: 0.4))
    let tokens = sequence(50)
    for index in 0..<20 {
      let sample = generator(tokens, index: index)
      var restored = sample.tokenIDs
      for (position, label) in zip(sample.maskPositions, sample.labels) { restored[Int(position)] = label }
      #expect(restored == tokens)
    }
  }

  @Test func specialTokensAreNeverSelectedAndUnknownCanBe() throws {
    let generator = try generator(MaskingOptions(selectionRate: 1, maskTokenRate: 1, randomTokenRate: 0))
    let sample = generator([2, 1, 4, 9, 3, 0, 1, 3, 0, 0])
    #expect(sample.maskPositions == [1, 3, 6])
    #expect(sample.labels == [1, 9, 1])
    #expect(sample.tokenIDs == [2, 4, 4, 4, 3, 0, 4, 3, 0, 0])
    #expect(generator([2, 4, 0, 3]).maskPositions.isEmpty)
    #expect(generator([]).maskPositions.isEmpty)
  }

  @Test func positionsAreUniform() throws {
    for sampling in MaskingOptions.Sampling.allCases {
      for cap in [96, 4] {
        let generator = try generator(
          MaskingOptions(selectionRate: 0.15, selectionLength: cap, sampling: sampling, seed: 7))
        var observed = [Int](repeating: 0, count: 40)
        var total = 0
        for index in 0..<20_000 {
          for position in generator(sequence(40), index: index).maskPositions {
            observed[Int(position) - 1] += 1
            total += 1
          }
        }
        if cap == 96 {
          let mean = Double(total) / 20_000
          // 40 tokens at 0.15 give exactly 6 by count; independently, 6 ± 2.26 each, ± 0.016 for the mean.
          let expected = sampling == .exact ? Double(MaskedLMMaskGenerator.exactCount(rate: 0.15, of: 40)) : 6
          #expect(abs(mean - expected) < 0.08, "\(sampling)")
        }
        let excess = chiSquareExcess(observed, expected: Double(total) / 40)
        #expect(excess < 4, "\(sampling), cap \(cap): \(observed)")
      }
    }
  }

  @Test func pairsOfPositionsAreUniform() throws {
    let generator = try generator(MaskingOptions(selectionRate: 0.3, seed: 3))  // 2 of 6: 15 pairs
    var observed = [Int: Int]()
    for index in 0..<30_000 {
      let positions = generator(sequence(6), index: index).maskPositions
      observed[Int(positions[0]) * 10 + Int(positions[1]), default: 0] += 1
    }
    #expect(observed.count == 15)
    #expect(chiSquareExcess(Array(observed.values), expected: 2000) < 4)
  }

  @Test func bernoulliCountsAreBinomial() throws {
    let generator = try generator(MaskingOptions(selectionRate: 0.25, sampling: .bernoulli, seed: 11))
    var sum = 0.0
    var squares = 0.0
    let samples = 20_000
    for index in 0..<samples {
      let count = Double(generator(sequence(24), index: index).maskPositions.count)
      sum += count
      squares += count * count
    }
    let mean = sum / Double(samples)
    let variance = squares / Double(samples) - mean * mean
    #expect(abs(mean - 6) < 0.06)
    #expect(abs(variance - 4.5) < 0.2)
    let capped = try self.generator(MaskingOptions(selectionRate: 0.9, selectionLength: 3, sampling: .bernoulli))
    #expect((0..<200).allSatisfy { capped(sequence(24), index: $0).maskPositions.count == 3 })
  }

  @Test func replacementsAre80And10And10() throws {
    let vocabulary = 64
    let generator = try generator(MaskingOptions(selectionRate: 0.5, seed: 5))
    var (masked, kept) = (0, 0)
    var random = [Int](repeating: 0, count: vocabulary)
    // All tokens are id 50, so a replacement by 50 looks like an unchanged token; corrected below.
    let tokens = [2] + [Int32](repeating: 50, count: 100) + [3]
    for index in 0..<4_000 {
      let sample = generator(tokens, index: index)
      for position in sample.maskPositions {
        switch sample.tokenIDs[Int(position)] {
        case 4: masked += 1
        case 50: kept += 1
        case let id: random[Int(id)] += 1
        }
      }
    }
    let total = Double(masked + kept + random.reduce(0, +))
    #expect(total == 4_000 * 50)
    // The standard deviation of each share is below 0.0009.
    #expect(abs(Double(masked) / total - (0.8 + 0.1 / 64)) < 0.004)
    #expect(abs(Double(kept) / total - (0.1 + 0.1 / 64)) < 0.004)
    // Uniform over the whole vocabulary, including special tokens.
    let seen = random.indices.filter { $0 != 4 && $0 != 50 }.map { random[$0] }
    #expect(chiSquareExcess(seen, expected: total * 0.1 / 64) < 4)
  }

  @Test func ratesAtTheirEnds() throws {
    let tokens = sequence(20)
    let none = try generator(MaskingOptions(selectionRate: 0))(tokens)
    #expect(none.maskPositions.isEmpty && none.tokenIDs == tokens)
    let kept = try generator(MaskingOptions(selectionRate: 1, maskTokenRate: 0, randomTokenRate: 0))(tokens)
    #expect(kept.maskPositions.count == 20 && kept.tokenIDs == tokens)
    let all = try generator(MaskingOptions(selectionRate: 1, maskTokenRate: 0.7, randomTokenRate: 0.3))
    #expect((0..<50).allSatisfy { all(tokens, index: $0).maskPositions.count == 20 })
  }

  @Test func drawsDependOnSeedEpochAndIndexAlone() throws {
    let generator = try generator(MaskingOptions(seed: 1))
    let tokens = sequence(60)
    let forward = (0..<50).map { generator(tokens, epoch: 1, index: $0) }
    let backward = (0..<50).reversed().map { generator(tokens, epoch: 1, index: $0) }
    #expect(forward == backward.reversed())
    #expect(Set(forward.map(\.maskPositions)).count > 45)
    #expect(generator(tokens, epoch: 2, index: 3) != forward[3])
    let other = try self.generator(MaskingOptions(seed: 2))
    #expect(other(tokens, epoch: 1, index: 3) != forward[3])
  }

  @Test func wholeWords() throws {
    // Words of 1, 2, 3 and 1 tokens, [SEP] in between.
    let tokens: [Int32] = [2, 10, 11, 12, 3, 13, 14, 15, 16, 3]
    let starts = [true, true, true, false, true, true, false, false, true, true]
    let words: [Set<Int32>] = [[1], [2, 3], [5, 6, 7], [8]]
    for sampling in MaskingOptions.Sampling.allCases {
      let generator = try generator(
        MaskingOptions(selectionRate: 0.5, sampling: sampling, wholeWords: true, seed: 9))
      var chosen = [0, 0, 0, 0]
      for index in 0..<4_000 {
        let sample = generator(tokens, wordStarts: starts, index: index)
        let positions = Set(sample.maskPositions)
        let selected = words.indices.filter { !words[$0].isDisjoint(with: positions) }
        #expect(selected.allSatisfy { words[$0].isSubset(of: positions) })
        #expect(positions.count == selected.reduce(0) { $0 + words[$1].count })
        #expect(sample.maskPositions == sample.maskPositions.sorted())
        if sampling == .exact { #expect(selected.count == 2) }
        for word in selected { chosen[word] += 1 }
      }
      #expect(chosen.allSatisfy { abs($0 - 2_000) < 140 }, "\(sampling): \(chosen)")
    }
    // The limit counts tokens; a word that does not fit is skipped, never cut.
    let capped = try generator(MaskingOptions(selectionRate: 1, selectionLength: 2, wholeWords: true))
    let seen = Set((0..<200).map { capped(tokens, wordStarts: starts, index: $0).maskPositions })
    #expect(seen == [[2, 3], [1, 8]])
  }

  @Test func badSettingsAreRefused() {
    for options in [
      MaskingOptions(selectionRate: -0.1), MaskingOptions(selectionRate: 1.5), MaskingOptions(selectionRate: .nan),
      MaskingOptions(maskTokenRate: 2), MaskingOptions(randomTokenRate: -1),
      MaskingOptions(maskTokenRate: 0.8, randomTokenRate: 0.3), MaskingOptions(selectionLength: 0),
    ] {
      #expect(throws: PreprocessorError.self) { try generator(options) }
    }
    #expect(throws: PreprocessorError.vocabularyEmpty) { try generator(vocabulary: 0, MaskingOptions()) }
  }
}
