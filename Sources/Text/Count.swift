/// Formats counts for people to read.
package enum Count {
  /// "1 line", "2,000 lines".
  package static func text(_ count: Int, _ noun: String) -> String {
    "\(grouped(count)) \(noun)\(count == 1 ? "" : "s")"
  }

  /// `66,362,880`.
  package static func grouped(_ count: Int) -> String {
    (count < 0 ? "-" : "") + grouped(digits: String(count.magnitude))
  }

  /// Digits, with commas between groups of three.
  package static func grouped(digits: String) -> String {
    var digits = Array(digits.utf8)
    for index in stride(from: digits.count - 3, to: 0, by: -3) { digits.insert(UInt8(ascii: ","), at: index) }
    return String(decoding: digits, as: UTF8.self)
  }

  /// `17 MB`, `268 MB`, `1.2 GB`, in powers of ten, as on the hub.
  package static func bytes(_ count: Int) -> String {
    let number = Double(count)
    func rounded(_ unit: Double) -> Int { Int((number / unit).rounded(.toNearestOrEven)) }
    if number < 1e3 { return "\(count) B" }
    if number < 1e6 { return "\(rounded(1e3)) kB" }
    if number < 1e9 { return "\(rounded(1e6)) MB" }
    let tenths = rounded(1e8)
    return "\(tenths / 10).\(tenths % 10) GB"
  }
}

/// "1 line", "2000 lines".
package func plural(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
