import Text

/// A part of a text after normalization, with the origin of each byte in the text.
///
/// Performs the work of `TextNormalizer` step by step, like the tokenizers library's `NormalizedString`: added tokens
/// must be found in the normalized text, and a tokenizer.json may specify other steps than BERT's.
struct NormalizedText {
  private(set) var bytes: [UInt8] = []
  /// For each byte, the origin of its scalar as a byte offset in the text. Empty if offsets are not tracked.
  private(set) var starts: [Int] = []
  private(set) var ends: [Int] = []

  private let tracksOffsets: Bool
  private var isASCII = true

  /// Creates the unchanged text, with invalid bytes replaced by U+FFFD.
  init(_ text: UnsafePointer<UInt8>, from start: Int, to end: Int, tracksOffsets: Bool) {
    self.tracksOffsets = tracksOffsets
    bytes.reserveCapacity(end - start)
    var index = start
    while index < end {
      let (scalar, length) = decodeScalar(text, at: index, count: end)
      append(scalar, from: index, to: index + length)
      index += length
    }
  }

  private init(like other: NormalizedText) {
    tracksOffsets = other.tracksOffsets
    bytes.reserveCapacity(other.bytes.count)
  }

  /// Returns the part of the text from which some of the bytes were made.
  func origin(of range: Range<Int>) -> Range<Int> {
    guard tracksOffsets, !range.isEmpty else { return 0..<0 }
    let (start, end) = (starts[range.lowerBound], ends[range.upperBound - 1])
    return start..<max(start, end)
  }

  // MARK: Steps

  /// Applies one step.
  mutating func apply(_ step: TextSteps.Normalizer) {
    switch step {
    case .bert(let options): normalize(options)
    case .nfd: decompose()
    case .nfc: compose()
    case .lowercase: lowercase()
    case .stripAccents: filter { UnicodeClasses.shared.isMark($0) }
    case .strip(let left, let right): strip(left: left, right: right)
    case .replace(let pattern, let content): replace(Array(pattern.utf8), with: Array(content.unicodeScalars))
    }
  }

  /// Applies `BertNormalizer`.
  mutating func normalize(_ normalizer: TextNormalizer) {
    typealias Flags = UnicodeTables.Flags
    if normalizer.cleansText {
      if isASCII {
        mapASCII { byte in
          byte == 0x09 || byte == 0x0A || byte == 0x0D ? 0x20 : byte < 0x20 || byte == 0x7F ? nil : byte
        }
      } else {
        let tables = UnicodeTables.shared
        filter { tables.entry($0).pointee.flags & Flags.removed != 0 }
        rebuild { scalar, start, end, text in
          text.append(tables.entry(scalar).pointee.flags & Flags.blank != 0 ? 0x20 : scalar, from: start, to: end)
        }
      }
    }
    if normalizer.splitsCJK, !isASCII {
      let tables = UnicodeTables.shared
      rebuild { scalar, start, end, text in
        let isChinese = tables.entry(scalar).pointee.flags & Flags.chinese != 0
        if isChinese { text.append(0x20, from: start, to: end) }
        text.append(scalar, from: start, to: end)
        if isChinese { text.append(0x20, from: start, to: end) }
      }
    }
    if normalizer.stripsAccents, !isASCII {
      decompose()
      let tables = UnicodeTables.shared
      filter { tables.entry($0).pointee.flags & Flags.mark != 0 }
    }
    if normalizer.lowercases { lowercase() }
  }

  private mutating func lowercase() {
    if isASCII { return mapASCII { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 } }
    let tables = UnicodeTables.shared
    rebuild { scalar, start, end, text in
      if scalar == 0x130 {
        text.append(0x69, from: start, to: end)
        text.append(0x307, from: start, to: end)
      } else {
        let entry = tables.entry(scalar).pointee
        let isCapital = entry.flags & UnicodeTables.Flags.capital != 0
        let lower = Int32(truncatingIfNeeded: scalar) &+ entry.lowerDifference
        text.append(isCapital ? UInt32(truncatingIfNeeded: lower) : scalar, from: start, to: end)
      }
    }
  }

  private mutating func decompose() {
    if isASCII { return }
    let (tables, classes) = (UnicodeTables.shared, UnicodeClasses.shared)
    var run: [(scalar: UInt32, combining: UInt8, start: Int, end: Int)] = []
    /// Writes combining scalars in canonical order (Unicode 3.11), stable within a class. Their origins remain in the
    /// order of the text, as in the library.
    func flush(into text: inout NormalizedText) {
      let order = run.indices.sorted { (run[$0].combining, $0) < (run[$1].combining, $1) }
      for (position, index) in order.enumerated() {
        text.append(run[index].scalar, from: run[position].start, to: run[position].end)
      }
      run.removeAll(keepingCapacity: true)
    }
    rebuild { scalar, start, end, text in
      for part in classes.decomposition(scalar) ?? [scalar] {
        let combining = part < 0x300 ? 0 : tables.entry(part).pointee.combiningClass
        if combining > 0 {
          run.append((part, combining, start, end))
        } else {
          if !run.isEmpty { flush(into: &text) }
          text.append(part, from: start, to: end)
        }
      }
    } finally: { text in
      flush(into: &text)
    }
  }

  /// Applies NFC. The origins of the scalars that a composed scalar replaces are consumed in text order, and it takes
  /// the origin of the first, as in the library.
  private mutating func compose() {
    if isASCII { return }
    decompose()
    let (tables, classes) = (UnicodeTables.shared, UnicodeClasses.shared)
    var scalars: [(scalar: UInt32, parts: Int)] = []
    var origins: [(start: Int, end: Int)] = []
    var starter: Int?
    var lastClass = -1
    rebuild { scalar, start, end, _ in
      origins.append((start, end))
      let combining = Int(scalar < 0x300 ? 0 : tables.entry(scalar).pointee.combiningClass)
      // Between a scalar and its starter there is no scalar of class 0, and none of the same or a higher class.
      if let index = starter, lastClass < combining || lastClass == -1,
        let composed = classes.composition(scalars[index].scalar, scalar)
      {
        scalars[index] = (composed, scalars[index].parts + 1)
        return
      }
      if combining == 0 { (starter, lastClass) = (scalars.count, -1) } else { lastClass = combining }
      scalars.append((scalar, 1))
    } finally: { text in
      var position = 0
      for entry in scalars {
        text.append(entry.scalar, from: origins[position].start, to: origins[position].end)
        position += entry.parts
      }
    }
  }

  private mutating func strip(left: Bool, right: Bool) {
    var scalars: [(isBlank: Bool, range: Range<Int>)] = []
    forEachScalar { scalars.append((UnicodeClasses.isWhiteSpace($0), $1)) }
    var (first, last) = (0, scalars.count)
    while left, first < last, scalars[first].isBlank { first += 1 }
    while right, first < last, scalars[last - 1].isBlank { last -= 1 }
    let range = first < last ? scalars[first].range.lowerBound..<scalars[last - 1].range.upperBound : 0..<0
    bytes = Array(bytes[range])
    if tracksOffsets { (starts, ends) = (Array(starts[range]), Array(ends[range])) }
  }

  /// Replaces a nonempty pattern. New scalars take the origin of the last replaced scalar, as in the library.
  private mutating func replace(_ pattern: [UInt8], with content: [Unicode.Scalar]) {
    var result = NormalizedText(like: self)
    var index = 0
    while index < bytes.count {
      if bytes[index] == pattern[0], bytes[index...].starts(with: pattern) {
        let last = index + pattern.count - 1
        let (start, end) = tracksOffsets ? (starts[last], ends[last]) : (0, 0)
        for scalar in content { result.append(scalar.value, from: start, to: end) }
        index += pattern.count
      } else {
        result.bytes.append(bytes[index])
        if bytes[index] >= 0x80 { result.isASCII = false }
        if tracksOffsets {
          result.starts.append(starts[index])
          result.ends.append(ends[index])
        }
        index += 1
      }
    }
    self = result
  }

  // MARK: Scalars

  /// Calls `body` with each scalar of a part and its byte range.
  func forEachScalar(in range: Range<Int>? = nil, _ body: (UInt32, Range<Int>) -> Void) {
    let range = range ?? 0..<bytes.count
    bytes.withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress else { return }
      var index = range.lowerBound
      while index < range.upperBound {
        let (scalar, length) = decodeScalar(base, at: index, count: range.upperBound)
        body(scalar, index..<index + length)
        index += length
      }
    }
  }

  /// Returns the scalar that ends at `index`, or nil at the start.
  func scalar(before index: Int) -> UInt32? {
    bytes.withUnsafeBufferPointer { bytes in bytes.baseAddress.flatMap { scalarBefore(index, from: 0, $0) } }
  }

  /// Returns the scalar that begins at `index`, or nil at the end.
  func scalar(at index: Int) -> UInt32? {
    guard index < bytes.count else { return nil }
    return bytes.withUnsafeBufferPointer { bytes in
      bytes.baseAddress.map { decodeScalar($0, at: index, count: bytes.count).scalar }
    }
  }

  private mutating func append(_ scalar: UInt32, from start: Int, to end: Int) {
    if scalar < 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: scalar))
    } else {
      isASCII = false
      withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 4) { buffer in
        guard let base = buffer.baseAddress else { return }
        bytes.append(contentsOf: UnsafeBufferPointer(start: base, count: encodeScalar(scalar, to: base)))
      }
    }
    guard tracksOffsets else { return }
    while starts.count < bytes.count {
      starts.append(start)
      ends.append(end)
    }
  }

  /// Builds a new text from the scalars of this one.
  private mutating func rebuild(
    _ body: (_ scalar: UInt32, _ start: Int, _ end: Int, _ text: inout NormalizedText) -> Void,
    finally: (_ text: inout NormalizedText) -> Void = { _ in }
  ) {
    var result = NormalizedText(like: self)
    forEachScalar { scalar, range in
      let (start, end) = tracksOffsets ? (starts[range.lowerBound], ends[range.lowerBound]) : (0, 0)
      body(scalar, start, end, &result)
    }
    finally(&result)
    self = result
  }

  private mutating func filter(_ isRemoved: (UInt32) -> Bool) {
    if isASCII { return }
    rebuild { scalar, start, end, text in
      if !isRemoved(scalar) { text.append(scalar, from: start, to: end) }
    }
  }

  /// Changes or drops bytes of an ASCII text.
  private mutating func mapASCII(_ body: (UInt8) -> UInt8?) {
    var count = 0
    for index in bytes.indices {
      guard let byte = body(bytes[index]) else { continue }
      bytes[count] = byte
      if tracksOffsets { (starts[count], ends[count]) = (starts[index], ends[index]) }
      count += 1
    }
    bytes.removeLast(bytes.count - count)
    if tracksOffsets {
      starts.removeLast(starts.count - count)
      ends.removeLast(ends.count - count)
    }
  }
}

/// Returns the scalar that ends at `end`, searching no further back than `start`; nil at the start.
func scalarBefore(_ end: Int, from start: Int, _ bytes: UnsafePointer<UInt8>) -> UInt32? {
  guard end > start else { return nil }
  var index = end - 1
  while index > start, end - index < 4, bytes[index] & 0xC0 == 0x80 { index -= 1 }
  // If these bytes are not a valid scalar, the last of them is read as U+FFFD.
  let (scalar, length) = decodeScalar(bytes, at: index, count: end)
  return index + length == end ? scalar : 0xFFFD
}
