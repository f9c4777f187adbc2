import Foundation
import TestSupport
import Testing

@testable import Files
@testable import Model

/// The tensors of a file, to be written again. The file must stay alive.
func sources(_ file: Safetensors) -> [TensorSource] {
  file.tensors.map { TensorSource(name: $0.name, type: $0.type, shape: $0.shape, bytes: $0.bytes) }
}

@Suite struct SafetensorsWriterTests {
  /// The reference writer wrote the golden file (safetensors, through transformers' save_pretrained).
  @Test func writesTheBytesOfTheReferenceWriter() throws {
    let golden = Golden.url("checkpoint/micro/model.safetensors").path
    let file = try Safetensors(path: golden)
    let folder = try TemporaryFolder()
    try SafetensorsWriter.write(sources(file).reversed(), to: folder.path + "/f")
    withExtendedLifetime(file) {}
    #expect(try FileMapping.contents(of: folder.path + "/f") == FileMapping.contents(of: golden))
  }

  @Test(
    arguments: [
      "micro_variants/float16/model.safetensors", "micro_variants/bfloat16/model.safetensors",
      "micro_variants/backbone_only/model.safetensors", "micro_variants/sharded/model-00001-of-00002.safetensors",
    ])
  func writesTheBytesOfOtherReferenceFiles(_ name: String) throws {
    let golden = try #require(Reference.url(name)).path
    let file = try Safetensors(path: golden)
    let folder = try TemporaryFolder()
    try SafetensorsWriter.write(sources(file), to: folder.path + "/f")
    withExtendedLifetime(file) {}
    #expect(try FileMapping.contents(of: folder.path + "/f") == FileMapping.contents(of: golden))
  }

  @Test func extraMetadataAndOddNames() throws {
    let folder = try TemporaryFolder()
    let values: [Float] = [1, 2]
    try values.withUnsafeBufferPointer { buffer in
      try SafetensorsWriter.write(
        [TensorSource(name: "a\"é", shape: [2], values: buffer.baseAddress!)], to: folder.path + "/f",
        metadata: [("note", "x\n")])
    }
    let read = try Safetensors(path: folder.path + "/f")
    #expect(read.metadata == ["format": "pt", "note": "x\n"])
    #expect(try read["a\"é"]?.floats() == values)
    #expect(read.tensors.first.map { $0.offset % 8 } == 0)
  }

  @Test func noTensors() throws {
    let folder = try TemporaryFolder()
    try SafetensorsWriter.write([], to: folder.path + "/f")
    #expect(try Safetensors(path: folder.path + "/f").tensors.isEmpty)
  }
}
