/// The hashes by which the hub names files, implemented independently of the library, so that tests find errors in
/// either.
public enum Hash {
  /// SHA-256 (FIPS 180-4), in hexadecimal: the etag of a large file.
  public static func sha256(_ bytes: [UInt8]) -> String {
    var state: [UInt32] = [
      0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
    ]
    forEachBlock(bytes) { block in
      var w = block + [UInt32](repeating: 0, count: 48)
      for i in 16..<64 {
        let s0 = rotate(w[i - 15], 25) ^ rotate(w[i - 15], 14) ^ (w[i - 15] >> 3)
        let s1 = rotate(w[i - 2], 15) ^ rotate(w[i - 2], 13) ^ (w[i - 2] >> 10)
        w[i] = w[i - 16] &+ s0 &+ w[i - 7] &+ s1
      }
      var (a, b, c, d) = (state[0], state[1], state[2], state[3])
      var (e, f, g, h) = (state[4], state[5], state[6], state[7])
      for i in 0..<64 {
        let s1 = rotate(e, 26) ^ rotate(e, 21) ^ rotate(e, 7)
        let t1 = h &+ s1 &+ ((e & f) ^ (~e & g)) &+ constants[i] &+ w[i]
        let s0 = rotate(a, 30) ^ rotate(a, 19) ^ rotate(a, 10)
        let t2 = s0 &+ ((a & b) ^ (a & c) ^ (b & c))
        (h, g, f, e, d, c, b, a) = (g, f, e, d &+ t1, c, b, a, t1 &+ t2)
      }
      for (i, value) in [a, b, c, d, e, f, g, h].enumerated() { state[i] &+= value }
    }
    return hexadecimal(state)
  }

  /// SHA-1 (FIPS 180-4), in hexadecimal.
  public static func sha1(_ bytes: [UInt8]) -> String {
    var state: [UInt32] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0]
    forEachBlock(bytes) { block in
      var w = block + [UInt32](repeating: 0, count: 64)
      for i in 16..<80 { w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1) }
      var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4])
      for i in 0..<80 {
        let (f, k): (UInt32, UInt32) =
          switch i / 20 {
          case 0: ((b & c) | (~b & d), 0x5a82_7999)
          case 1: (b ^ c ^ d, 0x6ed9_eba1)
          case 2: ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc)
          default: (b ^ c ^ d, 0xca62_c1d6)
          }
        (e, d, c, b, a) = (d, c, rotate(b, 30), a, rotate(a, 5) &+ f &+ e &+ k &+ w[i])
      }
      for (i, value) in [a, b, c, d, e].enumerated() { state[i] &+= value }
    }
    return hexadecimal(state)
  }

  /// Git's object ID of a file, which is the etag of a small file.
  public static func gitBlob(_ bytes: [UInt8]) -> String { sha1(Array("blob \(bytes.count)\0".utf8) + bytes) }

  /// The CRC-32 at the end of a gzip file.
  static func crc32(_ bytes: some Sequence<UInt8>) -> UInt32 {
    var crc: UInt32 = 0xffff_ffff
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = (crc >> 1) ^ (0xedb8_8320 & (0 &- (crc & 1))) }
    }
    return ~crc
  }

  /// The padded message, 16 big-endian words at a time.
  private static func forEachBlock(_ bytes: [UInt8], _ body: ([UInt32]) -> Void) {
    let length = UInt64(bytes.count) * 8
    var tail = Array(bytes.suffix(bytes.count % 64)) + [0x80]
    while tail.count % 64 != 56 { tail.append(0) }
    for shift in stride(from: UInt64(56), through: 0, by: -8) {
      tail.append(UInt8(truncatingIfNeeded: length >> shift))
    }
    let whole = bytes.count - bytes.count % 64
    var block = [UInt32](repeating: 0, count: 16)
    for start in stride(from: 0, to: whole + tail.count, by: 64) {
      let source = start < whole ? bytes : tail
      let offset = start < whole ? start : start - whole
      for i in 0..<16 {
        let j = offset + 4 * i
        block[i] =
          UInt32(source[j]) << 24 | UInt32(source[j + 1]) << 16 | UInt32(source[j + 2]) << 8 | UInt32(source[j + 3])
      }
      body(block)
    }
  }

  private static func rotate(_ x: UInt32, _ left: UInt32) -> UInt32 { x << left | x >> (32 - left) }

  private static func hexadecimal(_ words: [UInt32]) -> String {
    words.map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 8 - digits.count) + digits
    }.joined()
  }

  private static let constants: [UInt32] = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
    0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
    0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
    0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
    0xc67178f2,
  ]
}
