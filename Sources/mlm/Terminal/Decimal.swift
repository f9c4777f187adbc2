import Glibc

/// Numbers as text.
enum Decimal {
  /// A number with a fixed number of digits after the point.
  static func fixed(_ number: Double, _ digits: Int) -> String { formatted("%.*f", digits, number) }

  private static func formatted(_ format: String, _ arguments: any CVarArg...) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 400) { buffer in
      guard let start = buffer.baseAddress else { return "" }
      let count = withVaList(arguments) { vsnprintf(start, buffer.count, format, $0) }
      let bytes = UnsafeRawBufferPointer(start: start, count: max(0, min(Int(count), buffer.count - 1)))
      return String(decoding: bytes, as: UTF8.self)
    }
  }
}
