/// What in a text is not UTF-8.
struct InvalidUTF8: Equatable {
  /// Sequences that become U+FFFD each.
  var count = 0
  /// The byte of the first, counted from 0.
  var first: Int?

  init(in bytes: [UInt8]) {
    bytes.withUnsafeBufferPointer { all in
      var start = 0
      while start < all.count {
        let rest = UnsafeBufferPointer(rebasing: all[start...])
        do throws(UTF8.ValidationError) {
          _ = try UTF8Span(validating: rest.span)
          return
        } catch {
          let at = start + error.byteOffsets.lowerBound
          if first == nil { first = at }
          count += 1
          start = max(at + 1, start + error.byteOffsets.upperBound)
        }
      }
    }
  }
}
