import Files
import Hub
import Model
import Tensor

/// `mlm presets`: lists, downloads, verifies or exports presets.
struct PresetsCommand {
  let options: PresetsOptions
  let context: CommandContext

  init(_ options: PresetsOptions, _ context: CommandContext) {
    self.options = options
    self.context = context
  }

  func run() throws -> ExitCode {
    let registry = try context.registry()
    switch options.action {
    case .list(let format):
      let entries = registry.presets.map { ($0, registry.isAvailable($0, hub: context.hub)) }
      switch format {
      case .text: try context.output.write(PresetList.text(entries))
      case .json: try context.output.write(PresetList.json(entries))
      }
      return .done
    case .download(let names): return try each(names) { try download($0, registry) }
    case .verify(let names, let precision):
      let precision = try context.precision(precision)
      return try each(names) { try verify($0, registry, precision) }
    case .export(let name, let directory, let weights, let overwrites):
      return try each([name]) { try export($0, registry, to: directory, weights: weights, overwrites: overwrites) }
    }
  }

  /// Runs an action for each name. Reports errors and continues with the next name.
  private func each(_ names: [String], _ action: (String) throws -> Bool) throws -> ExitCode {
    var isGood = true
    for name in names {
      do {
        if try !action(name) { isGood = false }
      } catch let error as any ModelError {
        context.console.error(error)
        isGood = false
      }
      // Another program may be waiting for the directory.
      try context.output.flush()
    }
    return isGood ? .done : .failed
  }

  private func download(_ name: String, _ registry: PresetRegistry) throws -> Bool {
    let directory = try context.reachingHub { try registry.download(name, hub: $0) }
    try context.output.write(directory.pathBytes + [0x0A])
    return true
  }

  private func export(
    _ name: String, _ registry: PresetRegistry, to directory: String, weights: DistilBertMaskedLM.WeightsType,
    overwrites: Bool
  ) throws -> Bool {
    // Errors that would occur at the end are found before anything is downloaded.
    try ModelDirectory.checkWritable(directory, overwrite: overwrites)
    let threads = ThreadCount.standard(environment: context.environment)
    // Integers are copied to int8 files as they are.
    let precision: Precision? = weights == .int8 ? nil : .float32
    let model = try context.reachingHub { hub in
      try registry.resolve(name, hub: hub) {
        try DistilBertMaskedLM.load($0, precision: precision, threads: threads)
      }
    }
    for note in model.notes { context.console.note(note) }
    for warning in model.warnings { context.console.warning(warning) }
    try model.save(to: directory, weights: weights, overwrite: overwrites)
    for note in model.notesOnWriting { context.console.note(note) }
    try context.output.write(directory.pathBytes + [0x0A])
    return true
  }

  private func verify(_ name: String, _ registry: PresetRegistry, _ precision: Precision?) throws -> Bool {
    let threads = ThreadCount.standard(environment: context.environment)
    var differing: [String] = []
    var (isInCache, isLoaded) = (false, false)
    let verdict = try context.reachingHub { hub in
      let verification = PresetVerification(registry, hub: hub, threads: threads, precision: precision)
      let target = try verification.locate(name)
      isInCache = target.isInCache
      let location = target.directory.map { $0 == name ? "" : " in \($0)" } ?? ""
      try context.output.write(Printable.oneLine(name + location) + "\n")
      return try verification.run(target) { check in
        if check.outcome == .differs { differing.append(check.subject) }
        // Parameters are counted only if all files are intact.
        if check.subject == "parameters" { isLoaded = true }
        try context.output.write(Self.line(check) + "\n")
        // Hashing a large file takes seconds, so each result is shown immediately.
        try context.output.flush()
      }
    }
    switch verdict {
    case .ok: try context.output.write("ok\n")
    case .unchecked: try context.output.write("can be loaded; there is nothing to compare it with\n")
    case .differs:
      try context.output.write("differs\n")
      context.console.error(
        "'\(name)' differs from its registry entry: \(differing.joined(separator: ", "))",
        hint: isLoaded
          ? "the files are intact; if the preset is from MLM_PRESETS, check its values there"
          : isInCache
            ? "remove the differing files and the blobs they link to, then run mlm presets --download"
            : "copy the differing files again from their source")
    }
    return verdict != .differs
  }

  /// `  ok       vocab.txt: 231508 bytes, SHA-256 07eced375cec… as in the registry`.
  private static func line(_ check: PresetCheck) -> String {
    let word =
      switch check.outcome {
      case .ok: "ok"
      case .differs: "differs"
      case .unchecked: "-"
      }
    return "  " + DisplayWidth.padded(word, to: 9) + Printable.oneLine("\(check.subject): \(check.details)")
  }
}
