/// How the result of a product is cut among workers: into parts of rows and of columns.
///
/// Each worker packs the rows of a and the columns of b that its part needs, so that parts as square as can be are best: with 16
/// workers, packing is 24 % on top of the products of a training step of 8 × 128 tokens where only the longer side is cut, and 16 % so.
///
/// Tried: only rows cut, so that each worker finds in its cache what it made itself. Packing costs more than that saves: 2 %, with two
/// workers.
struct GEMMPartition {
  /// The parts along each side.
  let rowParts, columnParts: Int
  private let rows, columns, rowUnit, columnUnit, rowUnits, columnUnits: Int
  private let bounds: UnsafePointer<Double>?

  var parts: Int { rowParts * columnParts }

  /// What it takes to pack a number, in multiplications.
  private static let packing = 20

  /// The partition whose largest part takes the least time.
  ///
  /// - Parameters:
  ///   - rowUnit: rows are cut at multiples of it.
  ///   - columnUnit: and columns of this; what is left of one goes with the one before it. nil: columns are not to be cut.
  ///   - bounds: where each worker's share begins and the last one's ends, from 0 to 1; nil: shares are equal, as they are where there
  ///     are fewer parts than workers.
  init(
    rows: Int, columns: Int, rowUnit: Int, columnUnit: Int?, workers: Int, bounds: UnsafePointer<Double>? = nil
  ) {
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
    self.bounds = rowParts * columnParts == workers ? bounds : nil
  }

  /// A part, 0 ..< parts; it may be empty where shares are not equal.
  subscript(part: Int) -> (rows: Range<Int>, columns: Range<Int>) {
    let (row, column) = part.quotientAndRemainder(dividingBy: columnParts)
    var (height, width) = (0..<0, 0..<0)
    if let bounds {
      // What the workers of a row of parts have together is its height.
      let first = row * columnParts
      let (top, bottom) = (bounds[first], bounds[first + columnParts])
      func left(_ part: Int) -> Double { (bounds[part] - top) / (bottom - top) }
      height = cut(rowUnits, from: top, to: bottom)
      width = cut(columnUnits, from: left(part), to: left(part + 1))
    } else {
      height = WorkerPool.part(row, of: rowParts, count: rowUnits)
      width = WorkerPool.part(column, of: columnParts, count: columnUnits)
    }
    return (
      min(rows, height.lowerBound * rowUnit)..<min(rows, height.upperBound * rowUnit),
      startOfColumns(width.lowerBound)..<startOfColumns(width.upperBound)
    )
  }

  private func cut(_ units: Int, from start: Double, to end: Double) -> Range<Int> {
    Int((Double(units) * start).rounded())..<Int((Double(units) * end).rounded())
  }

  /// Where a unit of columns begins, and the last one ends.
  private func startOfColumns(_ unit: Int) -> Int { unit < columnUnits ? unit * columnUnit : columns }
}
