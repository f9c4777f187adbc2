import TestSupport
import Testing

@testable import Files
@testable import Model

@Suite struct TensorViewTests {
  /// Returns a view of the numbers 0, 1, 2 … in a file, beginning at byte 4.
  private func view(_ type: ElementType, count: Int) throws -> TensorView {
    let folder = try TemporaryFolder()
    var bytes: [UInt8] = [0, 0, 0, 0]
    for number in 0..<count {
      let bits = Float(number).bitPattern
      let float = [UInt8(bits & 0xFF), UInt8(bits >> 8 & 0xFF), UInt8(bits >> 16 & 0xFF), UInt8(bits >> 24)]
      bytes += type == .bfloat16 ? float[2...] : float[...]
    }
    let mapping = try FileMapping(path: folder.write("f", bytes))
    return TensorView(name: "t", type: type, shape: [count], count: count, offset: 4, mapping: mapping)
  }

  /// Keras' kernels are the transpose of ours; sizes around the tiles of 32.
  @Test(arguments: [1, 2, 31, 32, 33, 70], [1, 3, 32, 65])
  func transposed(_ rows: Int, _ columns: Int) throws {
    let stored = try view(.float32, count: rows * columns)
    let transposed = stored.reshaped([rows, columns], isTransposed: true)
    #expect(transposed.float32InPlace == nil)
    let values = try transposed.floats()
    for row in 0..<rows {
      for column in 0..<columns { #expect(values[row * columns + column] == Float(column * rows + row)) }
    }
    let plain = stored.reshaped([rows, columns], isTransposed: false)
    #expect(plain.float32InPlace?[rows * columns - 1] == Float(rows * columns - 1))
    #expect(try plain.floats() == stored.floats())
  }

  @Test func transposedOfSixteenBits() throws {
    let transposed = try view(.bfloat16, count: 6).reshaped([2, 3], isTransposed: true)
    #expect(try transposed.floats() == [0, 2, 4, 1, 3, 5])
  }

  @Test func comparison() throws {
    let stored = try view(.float32, count: 6)
    let (plain, transposed) = (
      stored.reshaped([2, 3], isTransposed: false), stored.reshaped([2, 3], isTransposed: true)
    )
    #expect(plain.hasSameValues(as: stored) && !plain.hasSameValues(as: transposed))
  }
}
