import TestSupport

@testable import Files

#if KerasWeights
  import Testing

  @testable import Model

  @Suite struct HDF5FileTests {
    private let path = "layers/layer_normalization/vars/0"

    @Test func finds() throws {
      let file = KerasPreset.path("masked_lm/model.weights.h5")
      let found = try HDF5File.variables(
        [["no", path], [path], ["no/way"], [], ["layers/dropout/vars/0"]], in: file)
      #expect(found.map { $0?.name } == [path, path, nil, nil, nil])
      #expect(found[0]?.shape == [12] && found[0]?.type == .float32 && found[0]?.count == 12)
      #expect(throws: CheckpointError.damagedHDF5(file: file, what: "cannot read 'layers'")) {
        try HDF5File.variables([["layers"]], in: file)
      }
      // The optimizer's counter is a scalar integer.
      let optimizer = try HDF5File.variables([["optimizer/vars/0"]], in: KerasPreset.path("masked_lm/task.weights.h5"))
      #expect(optimizer[0]?.shape == [] && optimizer[0]?.type == .int32)
    }

    @Test(arguments: [("masked_lm", ElementType.float32), ("float16", .float16), ("bfloat16", .bfloat16)])
    func types(_ preset: String, _ type: ElementType) throws {
      let found = try HDF5File.variables([[path]], in: KerasPreset.path(preset + "/model.weights.h5"))
      #expect(found[0]?.type == type)
    }

    @Test func otherFiles() throws {
      let folder = try TemporaryFolder()
      func failure(_ text: String) throws -> CheckpointError? {
        let file = try folder.write("f", text)
        return #expect(throws: CheckpointError.self) { try HDF5File.variables([[path]], in: file) }
      }
      let file = folder.path + "/f"
      #expect(try failure("") == .notHDF5(file: file))
      #expect(try failure("abc") == .notHDF5(file: file))
      #expect(
        try failure("<!DOCTYPE html>") == .otherFormat(file: file, .other("a saved web page"), expected: "an HDF5 file")
      )
      #expect(
        try failure("version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 12\n")
          == .otherFormat(file: file, .gitLFSPointer(oid: "sha256:ab", size: "12"), expected: "an HDF5 file"))
      #expect(throws: FileError.missing(path: "/no")) { try HDF5File.variables([[path]], in: "/no") }
      #expect(throws: FileError.isDirectory(path: folder.path)) { try HDF5File.variables([[path]], in: folder.path) }
    }

    /// Formats in which Keras never stores variables (written by Scripts/generate-keras-presets).
    @Test(
      arguments: [
        ("chunked", "is chunked, compressed or stored in another file, unlike Keras' files"),
        ("external", "is chunked, compressed or stored in another file, unlike Keras' files"),
        ("big_endian", "contains numbers that are not little-endian IEEE floats"),
        ("text", "does not contain numbers"),
        ("empty", "has no values in the file"),
      ])
    func otherStorage(_ variable: String, _ what: String) throws {
      let file = KerasPreset.path("odd.h5")
      #expect(throws: CheckpointError.unsupportedVariable(file: file, variable: variable, what: what)) {
        try HDF5File.variables([[variable]], in: file)
      }
    }

    /// A link to another file is not followed.
    @Test func linkToAnotherFile() throws {
      let file = KerasPreset.path("odd.h5")
      #expect(throws: CheckpointError.damagedHDF5(file: file, what: "cannot read 'link'")) {
        try HDF5File.variables([["link"]], in: file)
      }
      #expect(throws: CheckpointError.damagedHDF5(file: file, what: "cannot read 'group/layers'")) {
        try HDF5File.variables([["group/layers"]], in: file)
      }
    }

    // Damage to files of both forms. Wherever it is, the result is an error or numbers, never a crash.

    private func open(_ folder: TemporaryFolder, _ bytes: [UInt8], _ configuration: Configuration) throws -> Bool {
      let file = try folder.write("model.weights.h5", bytes)
      do {
        let found = try HDF5File.variables(configuration.parameterTable.rows.map(\.keras.paths), in: file)
        for view in found where view?.type.isFloatingPoint == true { _ = try view?.floats() }
        return true
      } catch let error as CheckpointError {
        #expect(!error.message.contains("\n"))
        return false
      }
    }

    @Test(arguments: ["masked_lm", "older"])
    func truncated(_ preset: String) throws {
      let bytes = try FileMapping.contents(of: KerasPreset.path(preset + "/model.weights.h5"))
      let configuration = try Configuration.load(file: KerasPreset.path(preset + "/config.json"))
      let folder = try TemporaryFolder()
      #expect(try open(folder, bytes, configuration))
      let lengths = Array(0..<40) + Array(stride(from: 40, to: bytes.count, by: 997)) + [bytes.count - 1]
      for length in lengths {
        #expect(try !open(folder, Array(bytes.prefix(length)), configuration), "\(length) bytes")
      }
    }

    @Test(arguments: ["masked_lm", "older"])
    func flipped(_ preset: String) throws {
      let bytes = try FileMapping.contents(of: KerasPreset.path(preset + "/model.weights.h5"))
      let configuration = try Configuration.load(file: KerasPreset.path(preset + "/config.json"))
      let folder = try TemporaryFolder()
      var generator = Generator(state: 7)
      var failures = 0
      for _ in 0..<600 {
        var damaged = bytes
        for _ in 0..<Int.random(in: 1...8, using: &generator) {
          damaged[Int.random(in: 0..<damaged.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
        }
        if try !open(folder, damaged, configuration) { failures += 1 }
      }
      #expect(failures > 0)
    }
  }

  /// A generator with the same numbers in every run.
  private struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var x = state
      x = (x ^ x >> 30) &* 0xBF58_476D_1CE4_E5B9
      x = (x ^ x >> 27) &* 0x94D0_49BB_1331_11EB
      return x ^ x >> 31
    }
  }
#endif
