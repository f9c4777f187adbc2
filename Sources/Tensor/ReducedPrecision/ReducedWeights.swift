import CKernels

/// A matrix of weights for products in reduced precision, packed for the kernel of this process.
///
/// It is packed from its source by the first product that needs it, or by `pack`. Scales are per row: of an int8 source
/// its own; otherwise the largest magnitude / 127, and every number is rounded to the nearest multiple (ties to even).
package final class ReducedWeights: @unchecked Sendable {
  package let format: ReducedFormat
  /// Out and in: W is rows × columns.
  package let rows, columns: Int
  private let source: MatrixSource
  private let memory: ZeroedMemory
  private let start: UnsafeMutableRawPointer
  /// Whether all rows are packed. The caller sets it, after all workers are done.
  package internal(set) var isPacked = false
  /// Whether the pages of the source's file were released.
  var isSourceReleased = false

  /// The rows of a panel: panels are packed whole.
  package static let panel = Int(MLM_REDUCED_PANEL)

  /// - Parameters:
  ///   - memory: zeroed memory with room for `bytes(…)` at the offset, a multiple of 64.
  init(
    _ source: MatrixSource, rows: Int, columns: Int, as format: ReducedFormat, in memory: ZeroedMemory, at offset: Int
  ) {
    (self.source, self.rows, self.columns, self.format) = (source, rows, columns, format)
    self.memory = memory
    start = memory.start + offset
  }

  /// The memory that a matrix takes: its panels, and in int8 a scale and a sum for each row.
  static func bytes(rows: Int, columns: Int, as format: ReducedFormat) -> Int {
    let panels = (rows + panel - 1) / panel
    return panels * (mlm_reduced_panel_bytes(format.code, columns) + (format == .int8 ? 8 * panel : 0))
  }

  private var panelCount: Int { (rows + Self.panel - 1) / Self.panel }
  private var panelBytes: Int { mlm_reduced_panel_bytes(format.code, columns) }

  var panels: UnsafeMutableRawPointer { start }
  var scales: UnsafeMutablePointer<Float>? {
    guard format == .int8 else { return nil }
    return (start + panelCount * panelBytes).assumingMemoryBound(to: Float.self)
  }
  var sums: UnsafeMutablePointer<Int32>? {
    guard format == .int8 else { return nil }
    return (start + panelCount * (panelBytes + 4 * Self.panel)).assumingMemoryBound(to: Int32.self)
  }

  /// The memory of the source.
  var sourceBytes: UnsafeRawBufferPointer { source.bytes(rows * columns) }

  /// The packed panel of a row, a multiple of the panel's rows.
  func panel(of row: Int) -> UnsafeRawPointer { UnsafeRawPointer(start + row / Self.panel * panelBytes) }

  /// Packs some rows, beginning with a panel.
  func pack(_ range: Range<Int>) {
    // Sixteen rows, as float32 and narrowed.
    let narrowedBytes = Self.panel * columns * format.size
    withUnsafeTemporaryAllocation(byteCount: narrowedBytes + 4 * columns, alignment: 64) { scratch in
      guard let narrowed = scratch.baseAddress else { return }
      let wide = (narrowed + narrowedBytes).assumingMemoryBound(to: Float.self)
      for row in stride(from: range.lowerBound, to: range.upperBound, by: Self.panel) {
        let count = min(Self.panel, rows - row)
        let numbers = narrow(row..<row + count, into: narrowed, wide)
        mlm_pack_panel(
          format.code, format.kernel, numbers, columns * format.size, count, columns,
          start + row / Self.panel * panelBytes, sums.map { $0 + row })
      }
    }
  }

  /// The rows in this format: the source's own, or narrowed into the scratch memory.
  private func narrow(
    _ range: Range<Int>, into narrowed: UnsafeMutableRawPointer, _ wide: UnsafeMutablePointer<Float>
  ) -> UnsafeRawPointer {
    switch (format, source) {
    case (.int8, .int8(let numbers, let own)):
      for row in range { scales?[row] = own[row] }
      return UnsafeRawPointer(numbers + range.lowerBound * columns)
    case (.bfloat16, .bfloat16(let numbers)), (.bfloat16InOrder, .bfloat16(let numbers)):
      return UnsafeRawPointer(numbers + range.lowerBound * columns)
    case (.int8, _):
      for row in range {
        let to = narrowed + (row - range.lowerBound) * columns
        scales?[row] = mlm_quantize_int8(
          float32(row, wide), columns, to.assumingMemoryBound(to: Int8.self))
      }
    case (.bfloat16, _), (.bfloat16InOrder, _):
      for row in range {
        let to = narrowed + 2 * (row - range.lowerBound) * columns
        mlm_round_bfloat16(float32(row, wide), columns, to.assumingMemoryBound(to: UInt16.self))
      }
    }
    return UnsafeRawPointer(narrowed)
  }

  private func float32(_ row: Int, _ scratch: UnsafeMutablePointer<Float>) -> UnsafePointer<Float> {
    if case .float32(let numbers) = source { return numbers + row * columns }
    source.copyRow(row, columns, to: scratch)
    return UnsafePointer(scratch)
  }
}
