import Text

/// Reads validated values from config.json. A missing or null key gets its default.
struct KeyReader {
  let json: JSONValue
  let file: String

  func size(
    _ key: String, alias: String? = nil, default value: Int, most: Int
  ) throws(CheckpointError) -> Int {
    let own = try size(key, most: most)
    guard let alias, let other = try size(alias, most: most) else { return own ?? value }
    if let own, own != other {
      throw .disagreeing(file: file, key: key, value: own, alias: alias, other: other)
    }
    return other
  }

  /// Reads a size without a default.
  func requiredSize(_ key: String, most: Int) throws(CheckpointError) -> Int {
    guard let size = try size(key, most: most) else { throw .missingKey(file: file, key: key) }
    return size
  }

  func size(_ key: String, most: Int) throws(CheckpointError) -> Int? {
    guard let entry = json[key], !entry.isNull else { return nil }
    guard case .number(_, let literal) = entry else {
      throw .wrongKind(file: file, key: key, expected: "a whole number", found: entry.kindName)
    }
    guard let number = entry.int, number >= 1, number <= most else {
      throw .outOfRange(file: file, key: key, value: literal, range: "a whole number from 1 to \(most)")
    }
    return number
  }

  func token(_ key: String, below count: Int, default value: Int) throws(CheckpointError) -> Int? {
    guard let entry = json[key] else { return value }
    if entry.isNull { return nil }
    guard case .number(_, let literal) = entry else {
      throw .wrongKind(file: file, key: key, expected: "the id of a word piece", found: entry.kindName)
    }
    guard let number = entry.int, number >= 0, number < count else {
      throw .outOfRange(file: file, key: key, value: literal, range: "an id below the vocab_size \(count)")
    }
    return number
  }

  func rate(_ key: String, default value: Float) throws(CheckpointError) -> Float {
    let rate = try real(key, default: value, within: 0...1)
    guard rate < 1 else { throw .outOfRange(file: file, key: key, value: "1", range: "a rate below 1") }
    return rate
  }

  func real(_ key: String, default value: Float, within range: ClosedRange<Double>) throws(CheckpointError) -> Float {
    guard let entry = json[key], !entry.isNull else { return value }
    guard case .number(let number, let literal) = entry else {
      throw .wrongKind(file: file, key: key, expected: "a number", found: entry.kindName)
    }
    guard range.contains(number) else {
      let text = "a number from \(FloatText.shortest(range.lowerBound)) to \(FloatText.shortest(range.upperBound))"
      throw .outOfRange(file: file, key: key, value: literal, range: text)
    }
    return Float(number)
  }

  func bool(_ key: String) throws(CheckpointError) -> Bool? {
    guard let entry = json[key], !entry.isNull else { return nil }
    guard let value = entry.bool else {
      throw .wrongKind(file: file, key: key, expected: "true or false", found: entry.kindName)
    }
    return value
  }
}
