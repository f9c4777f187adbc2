/// `mlm help [COMMAND]`.
enum HelpCommand {
  static var overview: String {
    Help.long(
      Command.declarations,
      examples: [
        .init(command: "mlm predict 'The capital of France is [MASK].'", meaning: "fill in a mask"),
        .init(command: "mlm fit --epochs 3 novels.txt", meaning: "train on text, write ./mlm-model"),
        .init(command: "mlm evaluate held-out.txt", meaning: "how good is it?"),
      ])
  }

  /// `mlm help fit` is `mlm fit --help`; `mlm help` is `mlm --help`.
  static func text(for arguments: [Argument]) throws(UsageError) -> String {
    guard let first = arguments.first else { return overview }
    if arguments.count > 1 {
      throw UsageError("unexpected argument '\(arguments[1].text)'", hint: "usage: mlm help [COMMAND]")
    }
    if ["help", "-h", "--help"].contains(first.text) { return overview }
    return Help.long(try Command.named(first).declaration)
  }
}
