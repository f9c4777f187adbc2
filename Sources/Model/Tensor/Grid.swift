/// How the result of a product is cut among workers: into parts of rows and of columns.
///
/// Each worker packs the rows of a and the columns of b that its part needs, so that parts as square as can be are best: with 16
/// workers, packing is 24 % on top of the products of a training step of 8 × 128 tokens where only the longer side is cut, and 16 % so.
struct Grid {
  /// The parts along each side.
  let rowParts, columnParts: Int
  private let rows, columns, rowUnit, columnUnit, columnUnits: Int

  var parts: Int { rowParts * columnParts }

  /// What it takes to pack a number, in multiplications.
  private static let packing = 20

  /// The grid whose largest part takes the least time.
  ///
  /// - Parameters:
  ///   - rowUnit: rows are cut at multiples of it.
  ///   - columnUnit: and columns of this; what is left of one goes with the one before it. nil: columns are not to be cut.
  init(rows: Int, columns: Int, rowUnit: Int, columnUnit: Int?, workers: Int) {
    (self.rows, self.columns, self.rowUnit, self.columnUnit) = (rows, columns, rowUnit, columnUnit ?? max(1, columns))
    let rowUnits = (rows + rowUnit - 1) / rowUnit
    columnUnits = max(1, columns / self.columnUnit)
    var (best, least) = ((1, 1), Int.max)
    for rowParts in 1...max(1, min(workers, rowUnits)) {
      let columnParts = min(workers / rowParts, columnUnits)
      let height = (rowUnits + rowParts - 1) / rowParts * rowUnit
      let width = columns - (columnUnits - (columnUnits + columnParts - 1) / columnParts) * self.columnUnit
      let time = height * width + Self.packing * (height + width)
      if time < least { (best, least) = ((rowParts, columnParts), time) }
    }
    (rowParts, columnParts) = best
  }

  /// A part, 0 ..< parts.
  subscript(part: Int) -> (rows: Range<Int>, columns: Range<Int>) {
    let (row, column) = part.quotientAndRemainder(dividingBy: columnParts)
    let units = WorkerPool.part(column, of: columnParts, count: columnUnits)
    let right = column + 1 < columnParts ? units.upperBound * columnUnit : columns
    return (
      WorkerPool.part(row, of: rowParts, count: rows, alignment: rowUnit), units.lowerBound * columnUnit..<right
    )
  }
}
