import Tensor

/// The order of the samples in one epoch: a permutation of 0 ..< count that is computed on demand and takes no memory.
///
/// A Feistel network (Luby and Rackoff 1988) permutes the numbers below a power of two: the halves of the bits are
/// changed alternately by a random function of the other half, here a Philox block, which is invertible for any
/// function. A result at or above `count` is permuted again until it is below ("cycle walking", Black and Rogaway
/// 2002), at most two times on average if `count` has more than `leastBits` bits.
///
/// The permutation is a pure function of (seed, epoch, count).
struct SampleOrder: RandomAccessCollection {
  let count: Int
  private let seed: UInt64
  private let epoch: UInt32
  private let shuffles: Bool
  private let lowBits, highBits: UInt64

  private static let rounds: UInt32 = 8
  /// The fewest bits of the network: with halves of a bit or two, the order of few samples would be far from random.
  private static let leastBits = 10

  /// - Parameters:
  ///   - count: at most about 2⁴⁰; halves of more than 32 bits would not fit the function.
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

  /// The sample at a position in the order.
  subscript(position: Int) -> Int {
    guard shuffles else { return position }
    var number = UInt64(position)
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
