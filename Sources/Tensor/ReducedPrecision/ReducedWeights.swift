import CKernels

/// A matrix of weights for products in reduced precision, packed for the kernel of this process.
///
/// The first product packs it, or `pack` before. If the file has the numbers that are packed, the first product packs
/// panel by panel into scratch memory and keeps nothing: a process that answers one short text then writes no new
/// memory, whose pages would take as long as the products. The second product packs for good. Scales are per row: of an
/// int8 source its own; otherwise the largest magnitude / 127, and every number is rounded to the nearest multiple
/// (ties to even).
package final class ReducedWeights: @unchecked Sendable {
  package let format: ReducedFormat
  /// Out and in: W is rows × columns.
  package let rows, columns: Int
  /// The columns (of W and of x) that stay float32, because activations are far larger there; none if the source is
  /// int8.
  package let exactColumns: [Int]
  private let exactMemory: ZeroedMemory?
  private let source: MatrixSource
  /// The file of the source, whose pages are released as they are read.
  private let file: (any MappedMemory)?
  private let memory: ZeroedMemory
  private let start: UnsafeMutableRawPointer
  /// Whether all rows are packed. The caller sets it, after all workers are done.
  package internal(set) var isPacked = false
  /// Whether a product has used the matrix.
  var isUsed = false

  /// The rows of a panel: panels are packed whole.
  package static let panel = Int(MLM_REDUCED_PANEL)

  /// - Parameters:
  ///   - memory: zeroed memory with room for `bytes(…)` at the offset, a multiple of 64.
  init(
    _ source: MatrixSource, of file: (any MappedMemory)?, rows: Int, columns: Int, as format: ReducedFormat,
    exactColumns: [Int], in memory: ZeroedMemory, at offset: Int
  ) {
    let exactColumns = if case .int8 = source { [Int]() } else { exactColumns }
    self.exactColumns = exactColumns
    exactMemory = exactColumns.isEmpty ? nil : ZeroedMemory(floats: exactColumns.count * rows)
    (self.source, self.file, self.rows, self.columns, self.format) = (source, file, rows, columns, format)
    self.memory = memory
    start = memory.start + offset
  }

  /// Whether the file has the numbers that are packed. Then the first product keeps nothing: reading the file twice is
  /// cheap.
  var hasSourceInFormat: Bool {
    switch source {
    case .int8: format == .int8
    case .bfloat16: format != .int8
    case .float32, .float16: false
    }
  }

  /// The memory that a matrix takes: its panels, and in int8 a scale and a sum for each row.
  static func bytes(rows: Int, columns: Int, as format: ReducedFormat) -> Int {
    let panels = (rows + panel - 1) / panel
    return panels * (mlm_reduced_panel_bytes(format.code, columns) + (format == .int8 ? 8 * panel : 0))
  }

  /// Packed rows, beginning with a panel.
  struct Panels {
    let numbers: UnsafeMutableRawPointer
    /// int8: the scale and the sum of each row.
    let scales: UnsafeMutablePointer<Float>?
    let sums: UnsafeMutablePointer<Int32>?

    /// - Parameters:
    ///   - start: memory for a number of panels, `bytes` of this many rows.
    init(_ start: UnsafeMutableRawPointer, panels: Int, panelBytes: Int, _ format: ReducedFormat) {
      numbers = start
      let end = start + panels * panelBytes
      scales = format == .int8 ? end.assumingMemoryBound(to: Float.self) : nil
      sums = format == .int8 ? (end + 4 * panels * panel).assumingMemoryBound(to: Int32.self) : nil
    }

    fileprivate init(
      numbers: UnsafeMutableRawPointer, scales: UnsafeMutablePointer<Float>?, sums: UnsafeMutablePointer<Int32>?
    ) {
      (self.numbers, self.scales, self.sums) = (numbers, scales, sums)
    }

    /// The panels from a row on, a multiple of the panel's rows.
    func from(_ row: Int, _ panelBytes: Int) -> Panels {
      Panels(
        numbers: numbers + row / panel * panelBytes, scales: scales.map { $0 + row }, sums: sums.map { $0 + row })
    }
  }

  var panelBytes: Int { mlm_reduced_panel_bytes(format.code, columns) }

  /// The packed matrix.
  var panels: Panels {
    Panels(start, panels: (rows + Self.panel - 1) / Self.panel, panelBytes: panelBytes, format)
  }

  /// Panels in other memory: `bytes` of this many rows.
  func panels(rows: Int, in memory: UnsafeMutableRawPointer) -> Panels {
    Panels(memory, panels: (rows + Self.panel - 1) / Self.panel, panelBytes: panelBytes, format)
  }

  /// The packed panel of a row, a multiple of the panel's rows.
  func panel(of row: Int) -> UnsafeRawPointer { UnsafeRawPointer(start + row / Self.panel * panelBytes) }

  /// Packs some rows, beginning with a panel.
  func pack(_ range: Range<Int>) { pack(range, into: panels.from(range.lowerBound, panelBytes)) }

  /// Packs some rows, beginning with a panel, into given memory.
  func pack(_ range: Range<Int>, into panels: Panels) {
    // Sixteen rows, as float32 and narrowed.
    let narrowedBytes = Self.panel * columns * format.size
    withUnsafeTemporaryAllocation(byteCount: narrowedBytes + 4 * columns, alignment: 64) { scratch in
      guard let narrowed = scratch.baseAddress else { return }
      let wide = (narrowed + narrowedBytes).assumingMemoryBound(to: Float.self)
      for row in stride(from: range.lowerBound, to: range.upperBound, by: Self.panel) {
        let count = min(Self.panel, rows - row)
        let target = panels.from(row - range.lowerBound, panelBytes)
        let numbers = narrow(row..<row + count, into: narrowed, wide, scales: target.scales)
        mlm_pack_panel(
          format.code, format.kernel, numbers, columns * format.size, count, columns, target.numbers, target.sums)
      }
    }
  }

  /// The weights of the exact columns: columns × rows; nil if there are none.
  var exact: Matrix? { exactMemory.map { Matrix($0.floats, rows: exactColumns.count, columns: rows) } }

  /// Releases the pages of the source that only these rows need.
  func releaseSource(of range: Range<Int>) {
    guard let file, file.isMapped else { return }
    let bytes = source.bytes(rows * columns)
    let row = bytes.count / max(1, rows)
    file.release(UnsafeRawBufferPointer(rebasing: bytes[range.lowerBound * row..<range.upperBound * row]))
  }

  /// The rows after which pages of the source are released, in whole panels: fewer would be too many calls to the
  /// system.
  var rowsPerRelease: Int { max(1, (1 << 20) / max(1, source.bytes(columns).count) / Self.panel) * Self.panel }

  /// The rows in this format: the source's own, or narrowed into the scratch memory.
  private func narrow(
    _ range: Range<Int>, into narrowed: UnsafeMutableRawPointer, _ wide: UnsafeMutablePointer<Float>,
    scales: UnsafeMutablePointer<Float>?
  ) -> UnsafeRawPointer {
    let first = range.lowerBound
    switch (format, source) {
    case (.int8, .int8(let numbers, let own)):
      for row in range { scales?[row - first] = own[row] }
      return UnsafeRawPointer(numbers + first * columns)
    case (.bfloat16, .bfloat16(let numbers)) where exact == nil,
      (.bfloat16InOrder, .bfloat16(let numbers)) where exact == nil:
      return UnsafeRawPointer(numbers + first * columns)
    default: break
    }
    for row in range {
      let numbers = withoutExactColumns(row, float32(row, wide), wide)
      let to = narrowed + (row - first) * columns * format.size
      if format == .int8 {
        scales?[row - first] = ReducedFormat.quantize(numbers, columns, to: to.assumingMemoryBound(to: Int8.self))
      } else {
        ReducedFormat.roundToBFloat16(numbers, columns, to: to.assumingMemoryBound(to: UInt16.self))
      }
    }
    return UnsafeRawPointer(narrowed)
  }

  /// Moves the weights of the exact columns from a row to `exact`; in the scratch memory, if there are any.
  private func withoutExactColumns(
    _ row: Int, _ numbers: UnsafePointer<Float>, _ scratch: UnsafeMutablePointer<Float>
  ) -> UnsafePointer<Float> {
    guard let exact else { return numbers }
    if numbers != UnsafePointer(scratch) { scratch.update(from: numbers, count: columns) }
    for (index, column) in exactColumns.enumerated() {
      exact[index][row] = scratch[column]
      scratch[column] = 0
    }
    return UnsafePointer(scratch)
  }

  private func float32(_ row: Int, _ scratch: UnsafeMutablePointer<Float>) -> UnsafePointer<Float> {
    if case .float32(let numbers) = source { return numbers + row * columns }
    source.copyRow(row, columns, to: scratch)
    return UnsafePointer(scratch)
  }
}
