import Tensor

/// The order of the samples in one epoch: a permutation of 0 ..< count that is computed where it is asked for, and takes
/// no memory.
///
/// A Feistel network (Luby and Rackoff 1988) permutes the numbers of a power of two: in turn each half of the bits is
/// changed by a random function of the other half, here a Philox block, which can be taken back whatever the function
/// is. What lands at or above `count` is permuted again until it lands below ("cycle walking", Black and Rogaway 2002),
/// at most two times on average where `count` is above `leastBits` bits.
///
/// The permutation is a pure function of (seed, epoch, count).
struct SampleOrder: RandomAccessCollection {
  let count: Int
  private let seed: UInt64
  private let epoch: UInt32
  private let shuffles: Bool
  private let lowBits, highBits: UInt64

  private static let rounds: UInt32 = 8
  /// Few samples are permuted among more numbers than they need: halves of a bit or two would be far from random.
  private static let leastBits = 10

  /// - Parameters:
  ///   - count: at most 2⁴⁰ or so; halves of more than 32 bits would not fit the function.
  ///   - shuffles: false for the order of the corpus.
  init(count: Int, shuffles: Bool = true, seed: UInt64, epoch: Int) {
    self.count = Swift.max(0, count)
    self.shuffles = shuffles && count > 1
    self.seed = seed
    self.epoch = UInt32(truncatingIfNeeded: epoch)
    let bits = Swift.max(Self.leastBits, Int.bitWidth - Swift.max(0, count - 1).leadingZeroBitCount)
    lowBits = UInt64(bits / 2)
    highBits = UInt64(bits - bits / 2)
  }

  var startIndex: Int { 0 }
  var endIndex: Int { count }

  /// The sample at a place of the order.
  subscript(place: Int) -> Int {
    guard shuffles else { return place }
    var number = UInt64(place)
    repeat { number = permuted(number) } while number >= UInt64(count)
    return Int(number)
  }

  private func permuted(_ number: UInt64) -> UInt64 {
    let (lowMask, highMask) = (UInt64(1) << lowBits - 1, UInt64(1) << highBits - 1)
    var (low, high) = (number & lowMask, number >> lowBits)
    for round in 0..<Self.rounds {
      if round & 1 == 0 { low ^= function(high, round) & lowMask } else { high ^= function(low, round) & highMask }
    }
    return high << lowBits | low
  }

  private func function(_ half: UInt64, _ round: UInt32) -> UInt64 {
    let counter = SIMD4(round, UInt32(truncatingIfNeeded: half), epoch, RandomPurpose.shuffle.rawValue)
    return UInt64(Philox.block(key: seed, counter: counter)[0])
  }
}
