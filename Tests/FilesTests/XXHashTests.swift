import Testing

@testable import Files

@Suite struct XXHashTests {
  /// Values of the reference implementation (Python's `xxhash`), for every kind of remainder.
  @Test func reference() {
    func hash(_ bytes: [UInt8]) -> UInt64 { bytes.withUnsafeBytes { XXHash.hash($0) } }
    #expect(hash([]) == 0xEF46_DB37_51D8_E999)
    #expect(hash(Array("a".utf8)) == 0xD24E_C4F1_A98C_6E5B)
    #expect(hash(Array("abc".utf8)) == 0x44BC_2CF5_AD77_0999)
    let expected: [(Int, UInt64)] = [
      (31, 0xA2AA_5F33_CC4A_6119), (32, 0x23C3_C17E_F790_FD97), (39, 0x880B_BEEA_606E_4B37),
      (45, 0x86FA_EE00_897C_4B41), (100, 0xA61F_8D4C_170F_E531),
    ]
    for (count, value) in expected { #expect(hash((0..<count).map { UInt8(($0 * 7 + 3) % 256) }) == value) }
  }
}
