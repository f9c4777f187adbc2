@testable import CommandLine
@testable import Text

/// A small program with one command.
enum Sample {
  enum Shape: String, CaseIterable { case round, square }

  static let count = Option<Int>.integer(
    "count", "N", 1...9, default: 3, in: .general, help: "how many", details: "How many there are.",
    foreignNames: ["number"])
  static let ratio = Option<Double?>.number("ratio", .zeroToOne, in: .shape, help: "a share")
  static let words = Option<[String]>.words("words", "W,W…", in: .shape, help: "some words")
  static let file = Option<String?>.text("file", "FILE", kind: .file, in: .shape, help: "a file")
  static let shape = Option<Shape>.choice(
    "shape", "NAME", default: .round, in: .shape,
    excludes: [Exclusion(of: ["file"], when: "square", because: "a file is round")], help: "round or square")
  static let loud = Option<Bool>.flag("loud", in: .general, excludes: [voices], help: "more noise")
  static let quiet = Option<Bool>.flag("quiet", in: .general, excludes: [voices], help: "less noise")
  static let voices = Exclusion(of: ["quiet", "loud"], because: "it is one or the other", hint: "leave one out")
  static let outline = Option<Shape?>.choice(
    "outline", "NAME", in: .shape, help: "another shape", foreignValues: ["circle": "round"])
  static let first = Option<Int?>.integer(
    "first", in: .general, excludes: [.overriding(["first", "last"])], help: "from here")
  static let last = Option<Int?>.integer(
    "last", in: .general, excludes: [.overriding(["first", "last"])], help: "to here")
  static let jewel = Option<String?>.text(
    "jewel", "J", kind: .entry(.jewels), in: .shape,
    excludes: [Exclusion(of: ["shape"], otherValue: "square", because: "jewels are round")], help: "a jewel")

  static let command = CommandDeclaration(
    program: "sample", name: "do", summary: "does it", operands: .files,
    options: [
      ratio.declaration, words.declaration, file.declaration, shape.declaration, jewel.declaration, outline.declaration,
      count.declaration,
      loud.declaration, quiet.declaration, first.declaration, last.declaration, CommandDeclaration.help.declaration,
    ],
    description: ["It does what it does."], examples: [.init(command: "sample do a", meaning: "one file")],
    environment: [("SAMPLE", "a variable")])

  static let program = Program(
    name: "sample", summary: "an example", version: .init(number: "1.0", date: "2026-11-29"), commands: [command],
    options: [CommandDeclaration.help.declaration], conventions: "Options follow the command.",
    examples: [.init(command: "sample do -", meaning: "standard input")], exitStatuses: [.init(0, "done")],
    more: (ofProgram: "More is elsewhere.", ofCommand: "More is there."))

  static func parse(_ line: String) throws(UsageError) -> ParsedArguments {
    try Parser.parse(line.split(separator: " ").map { Argument(String($0)) }, for: command)
  }
}

extension OptionGroup {
  fileprivate static let shape = OptionGroup("Shape")
}

extension Catalogue {
  static let jewels = Catalogue(noun: "jewel", plural: "jewels")
}
