/// A row-major matrix of `Float`: a trivially copyable view that does not own its memory.
///
/// `stride` is the distance between the starts of two rows, in elements, so that a block of a matrix (the rows of one
/// sample, the columns of one attention head) is a matrix too.
package struct Matrix {
  package let start: UnsafeMutablePointer<Float>
  package let rows: Int
  package let columns: Int
  package let stride: Int

  @inlinable
  package init(_ start: UnsafeMutablePointer<Float>, rows: Int, columns: Int, stride: Int? = nil) {
    self.start = start
    self.rows = rows
    self.columns = columns
    self.stride = stride ?? columns
  }

  /// The number of elements.
  @inlinable
  package var count: Int { rows * columns }

  /// The first element of a row.
  @inlinable @inline(__always)
  package subscript(row: Int) -> UnsafeMutablePointer<Float> { start + row * stride }

  @inlinable
  package func rows(_ range: Range<Int>) -> Matrix {
    Matrix(start + range.lowerBound * stride, rows: range.count, columns: columns, stride: stride)
  }

  @inlinable
  package func columns(_ range: Range<Int>) -> Matrix {
    Matrix(start + range.lowerBound, rows: rows, columns: range.count, stride: stride)
  }

  @inlinable
  package func setToZero() {
    for row in 0..<rows { self[row].update(repeating: 0, count: columns) }
  }

  @inlinable
  package func copy(from other: Matrix) {
    for row in 0..<rows { self[row].update(from: other[row], count: columns) }
  }

  /// other[column][row] = self[row][column].
  package func transpose(into other: Matrix) {
    for row in 0..<rows {
      let from = self[row]
      for column in 0..<columns { other.start[column &* other.stride &+ row] = from[column] }
    }
  }
}
