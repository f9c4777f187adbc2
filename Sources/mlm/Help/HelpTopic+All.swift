import CommandLine

extension HelpTopic {
  /// In the order in which help lists them.
  static let all: [HelpTopic] = [.training, .formats, .machines, .migrating]
}
