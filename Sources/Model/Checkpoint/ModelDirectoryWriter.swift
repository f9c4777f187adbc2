import Glibc

extension ModelDirectory {
  /// Writes a model directory, whole or not at all: it is built beside its place, flushed to the disk, and renamed.
  ///
  /// - Parameters:
  ///   - path: missing folders above it are made.
  ///   - tensors: see `Configuration.tensors`; the output matrix, which is the word embedding, is not written.
  ///   - files: more files: the tokenizer's, history.csv, a README. Names without folders.
  ///   - overwrite: take the place of a model directory that is there. What a model directory does not know and is not given (a
  ///     README, a repository, checkpoints) stays in it. At no moment is there neither the old nor the new one.
  public static func write(
    to path: String, configuration: Configuration, tensors: [TensorSource], files: [(name: String, bytes: [UInt8])],
    overwrite: Bool = false
  ) throws {
    try DirectoryReplacement.check(path, overwrite: overwrite)
    let replacement = try DirectoryReplacement(path)
    try replacement.write(configurationName, configuration.fileBytes)
    for file in files { try replacement.write(file.name, file.bytes) }
    try replacement.write(weightsName) { output throws(FileError) in
      try SafetensorsWriter.write(tensors, metadata: [], output: output)
    }
    try replacement.commit(overwrite: overwrite)
  }

  /// Throws what `write` would throw for its place, before any work is done: something is there that may not be replaced, or
  /// the folder cannot be written.
  public static func checkWritable(_ path: String, overwrite: Bool) throws {
    try DirectoryReplacement.check(path, overwrite: overwrite)
  }
}

/// A model directory in the making, under a hidden temporary name beside its place. Removed with this object if not committed.
private final class DirectoryReplacement {
  /// Where it will stand, links followed.
  let path: String
  let temporary: String
  private var created: [String] = []
  private var isDone = false

  init(_ path: String) throws(FileError) {
    self.path = Self.resolved(path)
    let parent = Path.parent(self.path)
    temporary = Path.join(parent, ".\(Path.name(self.path)).tmp-\(getpid())")
    try makeDirectories(parent)
    Self.remove(temporary)  // of an earlier process of the same number
    guard mkdir(temporary, 0o777) == 0 else { throw .system("create", self.path, writing: true) }
  }

  deinit {
    if isDone { return }
    Self.remove(temporary)
    for directory in created.reversed() { rmdir(directory) }
  }

  // MARK: Before

  static func check(_ path: String, overwrite: Bool) throws {
    let resolved = Self.resolved(path)
    if let kind = Path.kind(resolved) {
      let isEmpty = kind == .directory ? try Path.list(resolved).isEmpty : false
      if !isEmpty {
        let isModel = kind == .directory && ModelDirectory.isModelDirectory(resolved)
        guard isModel else {
          throw overwrite
            ? CheckpointError.outputIsNoModelDirectory(path: path)
            : CheckpointError.outputExists(path: path, canOverwrite: false)
        }
        guard overwrite else { throw CheckpointError.outputExists(path: path, canOverwrite: true) }
      }
      // A shell that stands in it would be left in a directory that is gone.
      guard resolved != Self.resolved(".") else { throw CheckpointError.outputIsCurrentDirectory(path: path) }
    } else {
      var info = stat()
      // A link to nothing.
      if lstat(path, &info) == 0 { throw CheckpointError.outputExists(path: path, canOverwrite: false) }
    }
    var folder = Path.parent(resolved)
    while Path.kind(folder) == nil, folder != Path.parent(folder) { folder = Path.parent(folder) }
    guard Path.isDirectory(folder) else { throw FileError.notDirectory(path: folder) }
    // Only trying tells for certain.
    let trial = Path.join(folder, ".\(Path.name(resolved)).tmp-\(getpid())")
    guard mkdir(trial, 0o777) == 0 || errno == EEXIST else {
      throw FileError.system("write", folder, writing: true)
    }
    rmdir(trial)
  }

  /// The absolute path with links followed, as far as there is something.
  static func resolved(_ path: String) -> String {
    if let real = realpath(path, nil) {
      defer { free(real) }
      return String(cString: real)
    }
    let parent = Path.parent(path)
    if parent == path { return path }
    return Path.join(resolved(parent), Path.name(path))
  }

  private func makeDirectories(_ path: String) throws(FileError) {
    if Path.kind(path) != nil { return }
    let parent = Path.parent(path)
    if parent != path { try makeDirectories(parent) }
    guard mkdir(path, 0o777) == 0 else {
      if errno == EEXIST { return }
      throw .system("create", path, writing: true)
    }
    created.append(path)
  }

  // MARK: Filling

  func write(_ name: String, _ bytes: [UInt8]) throws(FileError) {
    try write(name) { output throws(FileError) in
      let result = bytes.withUnsafeBytes { buffer in Result { () throws(FileError) in try output(buffer) } }
      try result.get()
    }
  }

  func write(
    _ name: String, _ body: ((UnsafeRawBufferPointer) throws(FileError) -> Void) throws(FileError) -> Void
  ) throws(FileError) {
    let shown = Path.join(path, name)  // errors name the place that the user knows
    let descriptor = open(Path.join(temporary, name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .system("create", shown, writing: true) }
    do throws(FileError) {
      try body { bytes throws(FileError) in try FileOutput.write(bytes, to: descriptor, shown) }
    } catch {
      close(descriptor)
      throw error
    }
    try FileOutput.flush(descriptor, shown)
  }

  // MARK: Taking its place

  func commit(overwrite: Bool) throws {
    FileOutput.flushDirectory(temporary)
    let parent = Path.parent(path)
    // Works where nothing is, or an empty directory.
    if rename(temporary, path) == 0 {
      isDone = true
      FileOutput.flushDirectory(parent)
      return
    }
    guard errno == ENOTEMPTY || errno == EEXIST else { throw FileError.system("write", path, writing: true) }
    // It may have come while the model was trained.
    try Self.check(path, overwrite: overwrite)
    try exchange()
    isDone = true
    FileOutput.flushDirectory(parent)
    // What stood there is under the temporary name now.
    keepUnknown()
    Self.remove(temporary)
  }

  private func exchange() throws(FileError) {
    if Self.swap(temporary, path) == 0 { return }
    guard errno == EINVAL || errno == ENOSYS else { throw .system("replace", path, writing: true) }
    // A file system that cannot exchange: out of the way, in, and back if that fails.
    let old = temporary + "-old"
    guard rename(path, old) == 0 else { throw .system("replace", path, writing: true) }
    guard rename(temporary, path) == 0 else {
      let error = FileError.system("replace", path, writing: true)
      rename(old, path)
      throw error
    }
    rename(old, temporary)
  }

  /// Linux' renameat2 with RENAME_EXCHANGE, which the Glibc module does not show.
  private static func swap(_ a: String, _ b: String) -> Int32 {
    typealias Function = @convention(c) (Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32) -> Int32
    guard let symbol = dlsym(nil, "renameat2") else {
      errno = ENOSYS
      return -1
    }
    return unsafeBitCast(symbol, to: Function.self)(AT_FDCWD, a, AT_FDCWD, b, 2)
  }

  /// Moves what no model directory has from the old one into the new one.
  private func keepUnknown() {
    guard let names = try? Path.list(temporary) else { return }
    for name in names where !Self.isModelFile(name) {
      let target = Path.join(path, name)
      if Path.kind(target) == nil { rename(Path.join(temporary, name), target) }
    }
  }

  /// Files that belong to the model that is replaced: they would be stale beside another.
  static func isModelFile(_ name: String) -> Bool {
    let known = [
      "config.json", "model.safetensors", "model.safetensors.index.json", "vocab.txt", "tokenizer.json",
      "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "generation_config.json", "history.csv",
      "history.svg", "MODEL_CARD.md",
    ]
    return known.contains(name) || OtherWeights.names.contains(name)
      || (name.hasPrefix("model-") && name.hasSuffix(".safetensors"))
      || (name.hasPrefix("pytorch_model-") && name.hasSuffix(".bin"))
  }

  /// Removes a directory and all in it. Links are removed, not followed.
  static func remove(_ path: String) {
    var info = stat()
    guard lstat(path, &info) == 0 else { return }
    if info.st_mode & S_IFMT == S_IFDIR {
      for name in (try? Path.list(path)) ?? [] { remove(Path.join(path, name)) }
      rmdir(path)
    } else {
      unlink(path)
    }
  }
}
