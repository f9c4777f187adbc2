/// Random numbers that are a pure function of their purpose.
///
/// Philox 4×32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): ten rounds of multiplication
/// turn a key (the seed) and a counter (purpose, step, sample, element) into four 32-bit numbers. There is no generator
/// state to save or to share, so masks and dropout depend neither on the order of the work nor on the number of
/// threads.
package enum Philox {
  @inline(never)
  package static func block(key: UInt64, counter: SIMD4<UInt32>) -> SIMD4<UInt32> {
    var (c0, c1, c2, c3) = (counter[0], counter[1], counter[2], counter[3])
    var k0 = UInt32(truncatingIfNeeded: key)
    var k1 = UInt32(truncatingIfNeeded: key >> 32)
    for _ in 0..<10 {
      let p0 = UInt64(c0) &* 0xD251_1F53
      let p1 = UInt64(c2) &* 0xCD9E_8D57
      (c0, c1, c2, c3) = (
        UInt32(truncatingIfNeeded: p1 >> 32) ^ c1 ^ k0, UInt32(truncatingIfNeeded: p1),
        UInt32(truncatingIfNeeded: p0 >> 32) ^ c3 ^ k1, UInt32(truncatingIfNeeded: p0)
      )
      k0 = k0 &+ 0x9E37_79B9
      k1 = k1 &+ 0xBB67_AE85
    }
    return SIMD4(c0, c1, c2, c3)
  }
}

/// The purpose of a random number. Numbers with different purposes are independent of each other.
package enum RandomPurpose: UInt32, Sendable {
  /// New weights.
  case initialization = 1
  /// The tokens to mask.
  case maskSelection = 2
  /// The replacements of masked tokens.
  case maskReplacement = 3
  /// The order of samples.
  case shuffle = 4
  /// The lines held out for validation.
  case validationSplit = 5
  /// Dropout; the sites of the network are numbered from here: `dropout + site`.
  case dropout = 256
}

/// The random numbers of one purpose, one step (or epoch) and one sample, in order.
package struct RandomStream: RandomNumberGenerator, Sendable {
  @usableFromInline let seed: UInt64
  @usableFromInline var counter: SIMD4<UInt32>
  @usableFromInline var block = SIMD4<UInt32>()
  @usableFromInline var used = 4

  /// - Parameters:
  ///   - purpose: the purpose of the numbers; `site` distinguishes several uses of one purpose.
  ///   - epoch: the epoch or the optimizer step.
  ///   - sample: the sample's index in the corpus, or the parameter's index in its table.
  package init(seed: UInt64, purpose: RandomPurpose, site: Int = 0, epoch: Int = 0, sample: Int = 0) {
    self.seed = seed
    counter = SIMD4(
      0, UInt32(truncatingIfNeeded: sample), UInt32(truncatingIfNeeded: epoch),
      purpose.rawValue &+ UInt32(truncatingIfNeeded: site))
  }

  /// 32 random bits.
  @inlinable
  package mutating func next32() -> UInt32 {
    if used == 4 {
      block = Philox.block(key: seed, counter: counter)
      counter[0] = counter[0] &+ 1
      used = 0
    }
    defer { used += 1 }
    return block[used]
  }

  @inlinable
  package mutating func next() -> UInt64 { UInt64(next32()) << 32 | UInt64(next32()) }

  /// Uniform in [0, 1), a multiple of 2⁻²⁴.
  @inlinable
  package mutating func uniform() -> Float { Float(next32() >> 8) * 0x1p-24 }

  /// Uniform in 0 ..< bound, without bias (Lemire 2019). `bound` must be positive.
  @inlinable
  package mutating func below(_ bound: Int) -> Int {
    let bound = UInt64(bound)
    if bound > 1 << 32 { return Int(next(upperBound: bound)) }
    let threshold = (UInt64(1) << 32) % bound
    while true {
      let product = UInt64(next32()) &* bound
      if product & 0xFFFF_FFFF >= threshold { return Int(product >> 32) }
    }
  }
}
