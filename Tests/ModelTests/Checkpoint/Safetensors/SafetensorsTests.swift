import Foundation
import TestSupport
import Testing

@testable import Files
@testable import Model
@testable import Tensor

/// Returns a file with this header and this number of data bytes.
private func file(_ header: String, data: Int = 0) -> [UInt8] {
  withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + Array(header.utf8)
    + (0..<data).map { UInt8(truncatingIfNeeded: $0) }
}

private func failure(_ bytes: [UInt8]) throws -> CheckpointError? {
  let folder = try TemporaryFolder()
  let path = try folder.write("f", bytes)
  do {
    _ = try Safetensors(path: path)
    return nil
  } catch { return error as? CheckpointError }
}

private func notRefused(_ what: String = "", sourceLocation: SourceLocation = #_sourceLocation) {
  Issue.record("not refused as it should be \(what)", sourceLocation: sourceLocation)
}

private func entry(_ name: String, _ type: String, _ shape: String, _ offsets: String) -> String {
  "\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":\(offsets)}"
}

@Suite struct SafetensorsTests {
  @Test func readsEveryType() throws {
    let folder = try TemporaryFolder()
    let values: [Float] = [0, -0.0, 1, -2.5, 65504, 6.1035156e-05, 5.9604645e-08, .infinity, -.infinity]
    let sources: [(String, ElementType, [UInt8])] = [
      ("f64", .float64, values.flatMap { withUnsafeBytes(of: Double($0)) { Array($0) } }),
      ("f32", .float32, values.flatMap { withUnsafeBytes(of: $0) { Array($0) } }),
      ("f16", .float16, values.flatMap { withUnsafeBytes(of: Float16($0)) { Array($0) } }),
      ("i64", .int64, (-4..<5).flatMap { withUnsafeBytes(of: Int64($0)) { Array($0) } }),
      ("i32", .int32, (-4..<5).flatMap { withUnsafeBytes(of: Int32($0)) { Array($0) } }),
      ("u8", .uint8, (1..<10).map { UInt8($0) }),
    ]
    let path = folder.path + "/f"
    try SafetensorsWriter.write(
      sources.map { name, type, bytes in
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 8)
        copy.copyBytes(from: bytes)
        return TensorSource(name: name, type: type, shape: [3, 3], bytes: UnsafeRawBufferPointer(copy))
      }, to: path)
    let read = try Safetensors(path: path)
    #expect(read.tensors.map(\.name) == ["i64", "f64", "f32", "i32", "f16", "u8"])  // the reference writer's order
    #expect(read.metadata == ["format": "pt"])
    for name in ["f64", "f32", "f16"] {
      let tensor = try #require(read[name])
      #expect(tensor.shape == [3, 3])
      #expect(try tensor.floats().map(\.bitPattern) == values.map(\.bitPattern), "\(name)")
    }
    #expect(read["i64"]?.integers() == Array(-4..<5))
    #expect(read["i32"]?.integers() == Array(-4..<5))
    #expect(read["u8"]?.integers() == Array(1..<10))
    #expect(throws: CheckpointError.self) { try read["i64"]?.floats() }
    #expect(read["f32"]?.float32InPlace != nil)
    #expect(read["f16"]?.float32InPlace == nil)
    #expect(read["no"] == nil)
  }

  /// All 65,536 halves, against the compiler's own conversion.
  @Test func widensEveryHalf() {
    let halves = (0...UInt16.max).map { $0 }
    var wide = [Float](repeating: 0, count: halves.count)
    halves.withUnsafeBytes { HalfPrecision.widen($0.baseAddress!, to: &wide, halves.count) }
    for (half, value) in zip(halves, wide) {
      let expected = Float(Float16(bitPattern: half))
      #expect(expected.isNaN ? value.isNaN : value.bitPattern == expected.bitPattern)
    }
    halves.withUnsafeBytes { ReducedFormat.widenBFloat16($0.baseAddress!, to: &wide, halves.count) }
    for (half, value) in zip(halves, wide) { #expect(value.bitPattern == UInt32(half) << 16) }
  }

  @Test func scalarsAndEmptyTensorsAreLegal() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      "f",
      file("{" + entry("e", "F32", "[0,7]", "[4,4]") + "," + entry("s", "F32", "[]", "[0,4]") + "}   ", data: 4))
    let read = try Safetensors(path: path)
    #expect(read["e"]?.count == 0)
    #expect(try read["e"]?.floats() == [])
    #expect(read["s"]?.count == 1)
    #expect(read["s"]?.shape == [])
    #expect(read.metadata.isEmpty)
  }

  @Test func unalignedFloatsAreCopied() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("f", file("{" + entry("aa", "F32", "[2]", "[0,8]") + "}", data: 8))
    let tensor = try #require(try Safetensors(path: path)["aa"])
    try #require(tensor.offset % 4 != 0)
    #expect(tensor.float32InPlace == nil)
    #expect(try tensor.floats().map(\.bitPattern) == [0x0302_0100, 0x0706_0504])
  }

  @Test func emptyHeaderIsLegal() throws { #expect(try failure(file("{}")) == nil) }

  // One test per error.

  @Test func lfsPointer() throws {
    let text = "version https://git-lfs.github.com/spec/v1\noid sha256:5e3f\nsize 267954768\n"
    let error = try failure(Array(text.utf8))
    #expect(
      error?.message.hasSuffix("f: this is a Git LFS pointer, not the file itself (oid sha256:5e3f, size 267954768)")
        == true)
    #expect(error?.hint != nil)
  }

  @Test(arguments: [
    ("<!DOCTYPE html><html>", "a saved web page"), ("\n <html>…", "a saved web page"),
    ("PK\u{3}\u{4}0000000", "a PyTorch"),
    ("{\"a\": 1}  ", "JSON text"),
  ])
  func foreignFiles(text: String, what: String) throws {
    guard case .otherFormat(_, .other(let found), _) = try failure(Array(text.utf8)) else {
      Issue.record("\(text)")
      return
    }
    #expect(found.hasPrefix(what))
  }

  @Test func metadataThatIsNull() throws {
    let folder = try TemporaryFolder()
    let header = #"{"__metadata__":null,"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#
    let path = try folder.write(
      "f",
      withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + Array(header.utf8) + [0, 0, 128, 63])
    let file = try Safetensors(path: path)
    #expect(file.metadata.isEmpty)
    #expect(try file["a"]?.floats() == [1])
  }

  @Test func foreignBinaryFiles() throws {
    for magic: [UInt8] in [[0x80, 0x02, 0x8A], [0x89, 0x48, 0x44, 0x46, 0x0D], [0x1F, 0x8B, 0x08]] {
      guard case .otherFormat = try failure(magic + [UInt8](repeating: 0, count: 20)) else {
        Issue.record("\(magic)")
        continue
      }
    }
  }

  @Test func tooShort() throws {
    for count in 0..<8 {
      guard case .tooShort(_, count) = try failure([UInt8](repeating: 1, count: count)) else {
        Issue.record("\(count)")
        continue
      }
    }
  }

  @Test func headerTooLong() throws {
    let bytes = withUnsafeBytes(of: UInt64(100_000_001).littleEndian) { Array($0) } + Array("{}".utf8)
    guard case .headerTooLong(_, 100_000_001) = try failure(bytes) else { return notRefused() }
    guard case .headerTooLong = try failure([UInt8](repeating: 0xFF, count: 40)) else { return notRefused() }
  }

  @Test func headerTruncated() throws {
    guard
      case .headerTruncated(_, 30, 36) = try failure(
        Array(file("{" + String(repeating: " ", count: 26) + "}").prefix(30)))
    else { return notRefused() }
  }

  @Test(arguments: [
    "", " {}", "{", "{}x", "{\"a\":1}", "{\"a\":{\"dtype\":\"F32\"",
    "{\"a\":{\"dtype\":1,\"shape\":[],\"data_offsets\":[0,4]}}",
    "{\"__metadata__\":{\"a\":1}}", "{\"__metadata__\":[]}", "{\"__metadata__\":{\"a\":\"1\",}}", "{\"a\u{FFFF}\":}",
  ])
  func malformedHeader(_ header: String) throws {
    guard case .malformedHeader = try failure(file(header)) else {
      Issue.record("\(header): \(String(describing: try failure(file(header))))")
      return
    }
  }

  @Test func invalidUTF8InHeader() throws {
    var bytes = file("{\"aa\":{}}")
    bytes[10] = 0xC3
    guard case .malformedHeader = try failure(bytes) else { return notRefused() }
  }

  @Test func duplicates() throws {
    let a = entry("a", "F32", "[1]", "[0,4]")
    guard case .duplicateTensor(_, "a") = try failure(file("{\(a),\(a)}", data: 4)) else { return notRefused() }
    guard case .duplicateTensor(_, "x") = try failure(file(#"{"__metadata__":{"x":"1","x":"2"}}"#))
    else { return notRefused() }
    guard
      case .malformedTensor(_, "b", _) = try failure(
        file(#"{"b":{"dtype":"F32","dtype":"F32","shape":[],"data_offsets":[0,4]}}"#, data: 4))
    else { return notRefused() }
  }

  @Test func unknownDataType() throws {
    guard case .unknownDataType(_, "a", "F7") = try failure(file("{" + entry("a", "F7", "[1]", "[0,4]") + "}", data: 4))
    else { return notRefused() }
  }

  @Test(arguments: [
    ("F32", "[1]", "[0,4,8]"), ("F32", "[1]", "[4,0]"), ("F32", "[1]", "[-4,0]"), ("F32", "[1]", "[0,5]"),
    ("F32", "[2]", "[0,4]"),
    ("F32", "[-1]", "[0,4]"), ("F32", "[9223372036854775807,9223372036854775807]", "[0,4]"),
    ("F32", "[4611686018427387904]", "[0,4]"), ("F32", "[1]", "[4,8]"), ("F16", "[1]", "[0,4]"),
    ("F32", "[1]", "[9223372036854775800,9223372036854775804]"),
    ("F32", "[0]", "[9223372036854775807,9223372036854775807]"),
  ])
  func malformedTensor(type: String, shape: String, offsets: String) throws {
    let error = try failure(file("{" + entry("a", type, shape, offsets) + "}", data: 8))
    guard case .malformedTensor(_, "a", _) = error else { return notRefused("\(String(describing: error))") }
  }

  @Test func holesAndOverlaps() throws {
    for offsets in [("[0,4]", "[8,12]"), ("[0,8]", "[4,12]"), ("[0,4]", "[0,4]")] {
      let shape = offsets.0 == "[0,8]" ? "[2]" : "[1]"
      let bytes = file(
        "{" + entry("a", "F32", shape, offsets.0) + "," + entry("b", "F32", shape, offsets.1) + "}", data: 12)
      guard case .malformedTensor = try failure(bytes) else {
        Issue.record("\(offsets)")
        continue
      }
    }
  }

  @Test func truncatedAndTooLong() throws {
    let header = "{" + entry("a", "F32", "[2]", "[0,8]") + "}"
    let need = 8 + header.utf8.count + 8
    guard case .truncated(_, need - 1, need) = try failure(file(header, data: 7)) else { return notRefused() }
    guard case .bytesAfterEnd(_, 1) = try failure(file(header, data: 9)) else { return notRefused() }
  }

  /// Any bytes give a file or an error, and everything returned can be read.
  @Test func survivesMutations() throws {
    let good = try FileMapping.contents(of: Golden.url("checkpoint/micro/model.safetensors").path)
    let headerEnd = 8 + Int(good[0]) + Int(good[1]) << 8
    let folder = try TemporaryFolder()
    var random = RandomStream(seed: 3, purpose: .shuffle)
    var refused = 0
    for _ in 0..<1500 {
      var bytes = good
      switch random.below(4) {
      case 0: bytes.removeLast(random.below(bytes.count))
      case 1: bytes[random.below(8)] = UInt8(truncatingIfNeeded: random.next32())
      default:
        for _ in 0...random.below(4) {
          bytes[8 + random.below(headerEnd - 8)] = Array("0123456789[]{}:,\"F- \\".utf8)[random.below(20)]
        }
      }
      let path = try folder.write("f", bytes)
      do {
        let read = try Safetensors(path: path)
        for tensor in read.tensors where tensor.type.isFloatingPoint { _ = try tensor.floats() }
      } catch is CheckpointError {
        refused += 1
      }
    }
    #expect(refused > 700)
  }
}
