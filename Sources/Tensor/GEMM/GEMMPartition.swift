/// The partition of the result of a product among workers, into parts of rows and of columns.
///
/// Each worker packs the rows of a and the columns of b that its part needs, so parts should be as square as possible:
/// with 16 workers, packing adds 24 % to the products of a training step of 8 × 128 tokens if only the longer side is
/// cut, and 16 % this way.
///
/// Tried without success: cutting only rows, so that each worker finds what it computed itself in its cache. Packing
/// costs more than that saves: 2 %, with two workers.
struct GEMMPartition {
  /// The parts along each side.
  let rowParts, columnParts: Int
  private let rows, columns, rowUnit, columnUnit, rowUnits, columnUnits: Int

  var parts: Int { rowParts * columnParts }

  /// The cost of packing a number, in multiplications.
  private static let packing = 20

  /// The partition whose largest part takes the least time.
  ///
  /// - Parameters:
  ///   - rowUnit: rows are cut at multiples of it.
  ///   - columnUnit: columns are cut at multiples of it; a remainder belongs to the last unit. nil: columns are not
  ///     cut.
  init(rows: Int, columns: Int, rowUnit: Int, columnUnit: Int?, workers: Int) {
    (self.rows, self.columns, self.rowUnit, self.columnUnit) = (rows, columns, rowUnit, columnUnit ?? max(1, columns))
    rowUnits = (rows + rowUnit - 1) / rowUnit
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
    let height = WorkerPool.part(row, of: rowParts, count: rowUnits)
    let width = WorkerPool.part(column, of: columnParts, count: columnUnits)
    return (
      min(rows, height.lowerBound * rowUnit)..<min(rows, height.upperBound * rowUnit),
      startOfColumns(width.lowerBound)..<startOfColumns(width.upperBound)
    )
  }

  /// The start of a unit of columns, or the end of the last one.
  private func startOfColumns(_ unit: Int) -> Int { unit < columnUnits ? unit * columnUnit : columns }
}
