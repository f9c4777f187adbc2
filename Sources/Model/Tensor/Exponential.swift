/// exp and erf for eight numbers at once, within 2·10⁻⁷ relative of the true value.
///
/// The polynomials are minimax fits of our own (iteratively reweighted least squares in 40 digits). libm's functions take
/// one number a call, which would cost more than the products around them.
///
/// Not inlined: in every loop that uses them they tripled the time the compiler takes, and a call for eight numbers costs little.
enum Elementary {
  private static let roundingMagic: Float = 12_582_912  // 1.5 · 2²³: adding it rounds to an integer in the low bits

  /// eˣ for −87.33 … 88.37. Below, the result stays at the smallest normal number's neighbourhood (≈ 10⁻³⁸), above at 2.4·10³⁸:
  /// no infinities. NaN stays NaN, so that a broken weight shows in the loss: hence comparisons, as `pointwiseMin` would drop it.
  @inline(never)
  static func exp(_ x: Floats) -> Floats {
    let notTooLarge = x.replacing(with: 88.37, where: x .> 88.37)
    let bounded = notTooLarge.replacing(with: -87.33, where: notTooLarge .< -87.33)
    // x = n·ln 2 + r, |r| ≤ ln 2 / 2; ln 2 in two parts so that n·ln 2 is exact.
    let shifted: Floats = bounded * 1.442_695_04 + roundingMagic
    let n: Floats = shifted - roundingMagic
    let high: Floats = bounded - n * 0.693_359_375
    let r: Floats = high + n * 2.121_944_4e-4
    var tail: Floats = 0.001_381_446_5 * r + 0.008_368_781
    tail = tail * r + 0.041_668_393
    tail = tail * r + 0.166_665_2
    tail = tail * r + 0.499_999_94
    let fraction: Floats = tail * r * r + r + 1
    let power = (unsafeBitCast(shifted, to: SIMD8<UInt32>.self) &<< 23) &+ 0x3F80_0000
    return fraction * unsafeBitCast(power, to: Floats.self)
  }

  static func exp(_ x: Float) -> Float { exp(Floats(repeating: x))[0] }

  /// The error function.
  @inline(never)
  static func erf(_ x: Floats) -> Floats {
    let bits = unsafeBitCast(x, to: SIMD8<UInt32>.self)
    let sign = bits & 0x8000_0000
    let t = unsafeBitCast(bits & 0x7FFF_FFFF, to: Floats.self)
    let s = t * t
    // Near zero: odd polynomial.
    var small = 8.185_249e-5 * s - 8.097_749_7e-4
    small = small * s + 0.005_196_957_4
    small = small * s - 0.026_857_708
    small = small * s + 0.112_836_644
    small = small * s - 0.376_126_32
    small = small * s + 0.128_379_17
    small = small * t + t
    // Further out: 1 − exp(−t·q(t)); beyond 4 the result is 1 in Float.
    let u = pointwiseMin(t, Floats(repeating: 4))
    var q = -1.043_311_5e-5 * u + 0.000_314_858_1
    q = q * u - 0.003_610_342
    q = q * u + 0.023_694_566
    q = q * u - 0.106_159_05
    q = q * u - 0.635_198_06
    q = q * u - 1.128_637_1
    let large = 1 - exp(q * u)
    // NaN, which compares with nothing, stays as the polynomial leaves it.
    let magnitude = small.replacing(with: large, where: t .>= 0.95)
    return unsafeBitCast(unsafeBitCast(magnitude, to: SIMD8<UInt32>.self) | sign, to: Floats.self)
  }

  /// Φ(x) = ½ (1 + erf(x / √2)) and the density φ(x) = e^(−x²/2) / √2π of the normal distribution.
  @inline(never)
  static func normal(_ x: Floats) -> (cumulative: Floats, density: Floats) {
    (0.5 * (1 + erf(x * 0.707_106_78)), 0.398_942_28 * exp(-0.5 * (x * x)))
  }
}
