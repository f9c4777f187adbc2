import Foundation
import TestSupport
import Testing

@testable import Files
@testable import Model
@testable import Tensor
@testable import Text

/// Directories in int8: one that the package compressed-tensors wrote (`Scripts/generate-quantized-model`), and our
/// own.
@Suite struct QuantizedTensorsTests {
  private static let folder = Golden.url("model/int8")
  private static let matrix = "distilbert.transformer.layer.1.ffn.lin2.weight"

  private func golden() throws -> (file: Safetensors, samples: [Sample]) {
    let file = try Safetensors(path: Self.folder.appendingPathComponent("golden.safetensors").path)
    return (file, try ReferenceModel.samples(file))
  }

  private func model(_ path: String = folder.path, _ precision: Precision? = nil) throws -> DistilBertMaskedLM {
    try .fromPreset(path, precision: precision, threads: 2)
  }

  /// Returns the scores of every mask, concatenated.
  private func logits(_ model: DistilBertMaskedLM, _ samples: [Sample]? = nil) throws -> [Float] {
    try model.collect(samples ?? golden().samples, batchRows: nil) { scores, count in
      Array(UnsafeBufferPointer(start: scores, count: count))
    }.flatMap { $0.flatMap(\.self) }
  }

  private func weights(_ folder: String) throws -> Safetensors {
    try Safetensors(path: folder + "/model.safetensors")
  }

  /// The same weights: float32 activations give transformers' scores, int8 ones nearly (transformers divides by 127.5).
  @Test func scoresAreThoseOfTransformers() throws {
    let (file, samples) = try golden()
    let int8 = try model()
    #expect(int8.precision == .int8 && int8.hasQuantizedWeights && int8.hasTrainedHead && int8.notes.isEmpty)
    #expect(try largestDifference(logits(int8), #require(file["logits"]).floats()) < 0.06)
    let wide = try model(Self.folder.path, .float32)
    #expect(wide.precision == .float32 && wide.notes.count == 1 && wide.notes[0].contains("has int8 weights"))
    #expect(try largestDifference(logits(wide), #require(file["logits_of_weights"]).floats()) < 2e-6)
    let half = try model(Self.folder.path, .bfloat16)
    #expect(half.notes.count == 1)
    #expect(try largestDifference(logits(half, samples), logits(wide)) < 0.06)
    // The file has numbers down to −128.
    #expect(try #require(weights(Self.folder.path)[Self.matrix]).integers()?.min() == -128)
  }

  /// int8 → int8 copies the bits; int8 → float32 writes the products of integers and scales.
  @Test func exportedFromInt8() throws {
    let folder = try TemporaryFolder()
    let source = try model()
    try source.save(to: folder.path + "/a", weights: .int8)
    let (before, after) = try (weights(Self.folder.path), weights(folder.path + "/a"))
    for name in [Self.matrix, Self.matrix + "_scale"] {
      let (a, b) = try (#require(before[name]), #require(after[name]))
      #expect(a.type == b.type && a.shape == b.shape && a.bytes.elementsEqual(b.bytes))
    }
    try model(folder.path + "/a").save(to: folder.path + "/b", weights: .int8)
    for file in ["model.safetensors", "config.json"] {
      #expect(
        try FileMapping.contents(of: folder.path + "/a/" + file) == FileMapping.contents(of: folder.path + "/b/" + file)
      )
    }
    try source.save(to: folder.path + "/c")
    let wide = try model(folder.path + "/c")
    #expect(wide.precision == .float32 && !wide.hasQuantizedWeights && wide.notes.isEmpty)
    #expect(try logits(wide) == logits(model(Self.folder.path, .float32)))
    #expect(try JSONValue.load(file: folder.path + "/c/config.json")["quantization_config"] == nil)
    for weights in [DistilBertMaskedLM.WeightsType.float16, .bfloat16] {
      try source.save(to: folder.path + "/\(weights)", weights: weights)
      let model = try model(folder.path + "/\(weights)")
      #expect(!model.hasQuantizedWeights && model.precision == .float32)
      #expect(try largestDifference(logits(model), logits(wide)) < (weights == .float16 ? 0.01 : 0.08))
    }
  }

  /// A directory in int8 computes what its float32 source does in int8, up to the rounding of its embeddings.
  @Test func exportedFromFloat32() throws {
    let (micro, folder) = (SmallModel.micro, try TemporaryFolder())
    let samples = try golden().samples
    let source = try model(micro)
    try source.save(to: folder.path + "/a", weights: .int8)
    let exported = try weights(folder.path + "/a")
    // The last layer's products of masked rows are in bfloat16.
    let last = "distilbert.transformer.layer.2."
    let kept = ["attention.out_lin", "attention.q_lin", "ffn.lin1", "ffn.lin2"].map { last + $0 }
    for row in source.network.table.rows {
      let tensor = try #require(exported[row.name])
      let isInt8 = row.specification.role == .kernel && row.isBackbone && !kept.contains(String(row.name.dropLast(7)))
      #expect(tensor.shape == row.shape)
      #expect(tensor.type == (row.shape.count == 1 ? .float32 : isInt8 ? .int8 : .bfloat16))
      #expect((exported[row.name + "_scale"]?.shape == [row.shape[0], 1]) == (tensor.type == .int8))
    }
    let json = try JSONValue.load(file: folder.path + "/a/config.json")
    #expect(json["dtype"]?.string ?? json["torch_dtype"]?.string == "float32")
    #expect(
      json["quantization_config"]?["ignore"]?.array?.compactMap(\.string)
        == kept + ["vocab_projector", "vocab_transform"])
    let int8 = try model(micro, .int8)
    #expect(try largestDifference(logits(model(folder.path + "/a"), samples), logits(int8, samples)) < 0.25)

    // With embeddings that bfloat16 represents, there is no difference.
    for row in source.network.table.rows where row.specification.role == .embedding {
      let parameter = try #require(source.network.parameters[row.name])
      let rounded = UnsafeMutablePointer<Float>.allocate(capacity: row.count)
      defer { rounded.deallocate() }
      for i in 0..<row.count {
        rounded[i] = Float(bitPattern: UInt32(ReducedFormat.bfloat16(parameter.values[i])) << 16)
      }
      source.network.parameters.makeTrainable()
      parameter.values.update(from: rounded, count: row.count)
    }
    try source.save(to: folder.path + "/b")
    try source.save(to: folder.path + "/c", weights: .int8)
    let expected = try logits(model(folder.path + "/b", .int8), samples)
    let again = try model(folder.path + "/c")
    // The first product, the second, and those of packed weights.
    for _ in 0..<3 { #expect(try logits(again, samples).map(\.bitPattern) == expected.map(\.bitPattern)) }
    for sample in samples { #expect(try logits(again, [sample]) == logits(model(folder.path + "/b", .int8), [sample])) }
  }

  @Test func halvesAreUsedInPlace() throws {
    let folder = try TemporaryFolder()
    let source = try model(SmallModel.micro)
    let samples = try golden().samples
    for (weights, type) in [(DistilBertMaskedLM.WeightsType.bfloat16, ElementType.bfloat16), (.float16, .float16)] {
      let path = folder.path + "/\(weights)"
      try source.save(to: path, weights: weights)
      #expect(try self.weights(path).tensors.allSatisfy { $0.type == type })
      #expect(
        try JSONValue.load(file: path + "/config.json")["torch_dtype"]?.string == weights.rawValue)
      let (wide, int8) = try (model(path), model(path, .int8))
      #expect(wide.precision == .float32 && int8.network.parameters[ParameterTable.wordEmbeddings]?.stored != nil)
      #expect(wide.network.parameters[ParameterTable.wordEmbeddings]?.stored == nil)
      #expect(try largestDifference(logits(int8, samples), logits(wide, samples)) < 0.4)
      // The values of a stored matrix are those of the file.
      #expect(try int8.fingerprint() != wide.fingerprint())
      for parameter in int8.network.parameters.parameters {
        #expect(parameter.matrix.bits == wide.network.parameters[parameter.name]?.matrix.bits)
      }
    }
  }

  @Test func rowsOfZerosAndInfinity() throws {
    let source = try model(SmallModel.micro)
    source.network.parameters.makeTrainable()
    let parameter = try #require(source.network.parameters["distilbert.transformer.layer.0.ffn.lin1.weight"])
    for i in 0..<32 { parameter.values[32 + i] = 0 }
    let folder = try TemporaryFolder()
    try source.save(to: folder.path + "/a", weights: .int8)
    let scales = try #require(weights(folder.path + "/a")[parameter.name + "_scale"]).floats()
    #expect(scales[1] == 0x1p-23 && scales[0] > 0)
    let again = try model(folder.path + "/a", .float32)
    #expect(again.network.parameters[parameter.name]?.matrix.array[32..<64].allSatisfy { $0 == 0 } == true)
    parameter.values[5] = .infinity
    #expect(throws: CheckpointError.notFinite(tensor: parameter.name)) {
      try source.save(to: folder.path + "/b", weights: .int8)
    }
  }

  /// The encoder alone has no head to leave out of int8.
  @Test func untrainedHead() throws {
    let folder = try TemporaryFolder()
    let source = try DistilBertMaskedLM.fromPreset(SmallModel.micro, loadWeights: false, threads: 1)
    try source.save(to: folder.path + "/a", weights: .int8)
    let again = try model(folder.path + "/a")
    #expect(!again.hasTrainedHead && again.precision == .int8 && again.warnings.count == 1)
    let json = try JSONValue.load(file: folder.path + "/a/config.json")
    #expect(json["architectures"]?.array?.first?.string == "DistilBertModel")
  }

  // MARK: Training

  @Test func fitIsRefused() throws {
    let samples = try golden().samples
    for precision in [nil, Precision.float32] {
      let model = try model(Self.folder.path, precision)
      #expect(throws: ModelUseError.quantizedWeights) { try model.fit(SampleList(samples)) }
      try model.freeze([.backbone])
      #expect(throws: ModelUseError.quantizedWeights) { try model.fit(SampleList(samples)) }
    }
    // Random weights of the same architecture can be trained.
    let random = try DistilBertMaskedLM.fromPreset(Self.folder.path, loadWeights: false, threads: 1)
    #expect(!random.hasQuantizedWeights && random.precision == .float32)
  }

  // MARK: Faults

  private struct Change {
    var name: String
    var type: ElementType
    var shape: [Int]
    var bytes: [UInt8]
  }

  /// Copies the golden directory with another text in config.json and other tensors, and loads it.
  private func load(
    replacing: (String, String)? = nil, _ change: (inout [Change]) -> Void = { _ in }
  ) throws -> (DistilBertMaskedLM, TemporaryFolder) {
    let folder = try TemporaryFolder()
    for name in ["vocab.txt", "tokenizer_config.json"] {
      try folder.write(name, FileMapping.contents(of: Self.folder.path + "/" + name))
    }
    let json = try FileMapping.contents(of: Self.folder.path + "/config.json")
    let text = String(decoding: json, as: UTF8.self)
    try folder.write("config.json", replacing.map { text.replacingOccurrences(of: $0, with: $1) } ?? text)
    var tensors = try weights(Self.folder.path).tensors.map {
      Change(name: $0.name, type: $0.type, shape: $0.shape, bytes: Array($0.bytes))
    }
    change(&tensors)
    var blocks: [UnsafeMutableRawBufferPointer] = []
    defer { for block in blocks { block.deallocate() } }
    let sources = tensors.map { tensor in
      let block = UnsafeMutableRawBufferPointer.allocate(byteCount: tensor.bytes.count, alignment: 8)
      block.copyBytes(from: tensor.bytes)
      blocks.append(block)
      return TensorSource(
        name: tensor.name, type: tensor.type, shape: tensor.shape, bytes: UnsafeRawBufferPointer(block))
    }
    try SafetensorsWriter.write(sources, to: folder.path + "/model.safetensors")
    return (try model(folder.path), folder)
  }

  private func floats(_ values: [Float]) -> [UInt8] { values.flatMap { withUnsafeBytes(of: $0) { Array($0) } } }

  private func index(_ name: String, _ tensors: [Change]) -> Int { tensors.firstIndex { $0.name == name } ?? 0 }

  private func error(replacing: (String, String)? = nil, _ change: (inout [Change]) -> Void = { _ in }) -> String {
    do {
      _ = try load(replacing: replacing, change)
      return ""
    } catch {
      let message = (error as? CheckpointError)?.message ?? "\(error)"
      return message.contains("model.safetensors: ")
        ? String(message.split(separator: "model.safetensors: ")[1]) : message
    }
  }

  @Test func scalesThatAreRead() throws {
    let expected = try logits(model())
    let scale = Self.matrix + "_scale"
    for shape in [[16], [16, 1]] {
      let (model, _) = try load { $0[index(scale, $0)].shape = shape }
      #expect(try logits(model) == expected)
    }
    // One scale in all; scales in bfloat16, with zero points and unused scales of activations.
    let (one, _) = try load { tensors in
      let i = index(scale, tensors)
      tensors[i] = Change(name: scale, type: .float32, shape: [1], bytes: floats([0.5]))
      tensors.append(
        Change(name: Self.matrix + "_zero_point", type: .int8, shape: [16, 1], bytes: .init(repeating: 0, count: 16)))
      tensors.append(
        Change(
          name: "distilbert.transformer.layer.1.ffn.lin2.input_scale", type: .float32, shape: [1], bytes: floats([1])))
    }
    #expect(one.notes.isEmpty)
    let integers = try #require(weights(Self.folder.path)[Self.matrix]?.integers())
    #expect(one.network.parameters[Self.matrix]?.matrix.array == integers.map { Float($0) * 0.5 })
    let (halves, _) = try load { tensors in
      let i = index(scale, tensors)
      tensors[i] = Change(
        name: scale, type: .bfloat16, shape: [16, 1], bytes: (0..<16).flatMap { _ in [UInt8(0x00), 0x3F] })
    }
    #expect(halves.network.parameters[Self.matrix]?.matrix.array == integers.map { Float($0) * 0.5 })
    // Older versions of the package.
    let (older, _) = try load(replacing: ("int-quantized", "naive-quantized"))
    #expect(try logits(older) == expected)
  }

  /// Weights and scales in different shards.
  @Test func sharded() throws {
    let (_, folder) = try load()
    let file = try weights(folder.path)
    let parts = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    func part(_ name: String) -> Int { name.hasSuffix("_scale") ? 1 : 0 }
    for index in 0..<2 {
      let tensors = file.tensors.filter { part($0.name) == index }
        .map { TensorSource(name: $0.name, type: $0.type, shape: $0.shape, bytes: $0.bytes) }
      try SafetensorsWriter.write(tensors, to: folder.path + "/" + parts[index])
    }
    let map = file.tensors.map { "\"\($0.name)\":\"\(parts[part($0.name)])\"" }.joined(separator: ",")
    try folder.write("model.safetensors.index.json", "{\"weight_map\":{\(map)}}")
    try FileManager.default.removeItem(atPath: folder.path + "/model.safetensors")
    let sharded = try model(folder.path)
    #expect(try sharded.notes.isEmpty && logits(sharded) == logits(model()))
    // From there, one file is written, with the same numbers.
    try sharded.save(to: folder.path + "/a", weights: .int8)
    try model().save(to: folder.path + "/b", weights: .int8)
    let (a, b) = (folder.path + "/a/model.safetensors", folder.path + "/b/model.safetensors")
    #expect(try FileMapping.contents(of: a) == FileMapping.contents(of: b))
    try FileManager.default.removeItem(atPath: folder.path + "/" + parts[1])
    #expect(throws: CheckpointError.self) { try model(folder.path) }
  }

  @Test func faultsOfScales() throws {
    let (matrix, scale) = (Self.matrix, Self.matrix + "_scale")
    #expect(
      error { $0.remove(at: index(scale, $0)) }
        == "tensor '\(matrix)' has dtype I8, but its scales '\(scale)' are missing")
    #expect(
      error { tensors in
        tensors[index(scale, tensors)] = Change(
          name: scale, type: .float32, shape: [8, 1], bytes: floats(.init(repeating: 1, count: 8)))
      } == "tensor '\(scale)' has shape [8, 1], expected [16, 1]")
    for (value, text) in [(Float.nan, "nan"), (-1, "-1.0"), (0, "0.0"), (.infinity, "inf")] {
      #expect(
        error { tensors in
          let i = index(scale, tensors)
          tensors[i].bytes.replaceSubrange(12..<16, with: floats([value]))
        } == "tensor '\(scale)' has the scale \(text) in row 3, expected a positive number")
    }
    #expect(
      error { tensors in
        tensors[index(scale, tensors)] = Change(
          name: scale, type: .int32, shape: [16, 1], bytes: .init(repeating: 1, count: 64))
      } == "tensor '\(scale)' has dtype I32, expected F32, F16, BF16 or F64")
    #expect(
      error { tensors in
        tensors.append(
          Change(
            name: matrix + "_zero_point", type: .int8, shape: [16, 1], bytes: .init(repeating: 1, count: 16)))
      } == "cannot read quantized weights: tensor '\(matrix)_zero_point' is not zero")
  }

  @Test func faultsOfWeights() throws {
    #expect(
      error { tensors in
        let i = index(Self.matrix, tensors)
        (tensors[i].shape, tensors[i].bytes) = ([16, 23], Array(tensors[i].bytes.dropLast(16)))
      } == "tensor '\(Self.matrix)' has shape [16, 23], expected [16, 24]")
    let bias = "distilbert.transformer.layer.1.ffn.lin2.bias"
    #expect(
      error { tensors in
        tensors[index(bias, tensors)] = Change(
          name: bias, type: .int8, shape: [16], bytes: .init(repeating: 1, count: 16))
      } == "tensor '\(bias)' has dtype I8, expected F32, F16, BF16 or F64")
    // Integers of which config.json says nothing.
    #expect(
      error(replacing: ("quantization_config", "other_config"))
        .hasSuffix("' has dtype I8, expected F32, F16, BF16 or F64"))
    #expect(
      error(replacing: ("\"symmetric\": true", "\"symmetric\": false"))
        .hasSuffix("config.json: cannot read quantized weights: compressed-tensors, asymmetric weights"))
  }
}
