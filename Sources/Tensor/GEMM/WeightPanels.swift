import CKernels
import Files

/// The matrices of a model packed for products of few rows, in a process that answers one short text after another.
///
/// A pass of up to 50 rows then takes some 8 % less time, with the same results to the last bit (`few_rows_panels_avx2.c`). Packing all
/// matrices takes as long as 30 to 150 such passes gain by it, most of it the system's for new memory: so it begins when some have
/// come, with one matrix a pass, that none has to wait for all. Memory stays as it is: the file's pages go as the panels come, and
/// only a file's matrices are packed. A pass that needs the file's pages again gives the panels back, and twice as many short ones
/// have to come before the next time.
package final class WeightPanels {
  /// Passes of up to so many rows gain by it.
  private static let rowLimit = 48

  /// All panels of the matrices; nil before the first is packed.
  private var memory: ZeroedMemory?
  private var used = 0
  /// The matrices that are still to be packed; nil before it is known.
  private var waiting: ArraySlice<(Parameter, FileMapping)>?
  private var shortPasses = 0
  private var patience = 32

  /// Whether anything is packed.
  var isInUse: Bool { memory != nil }

  /// Before a pass, while nothing else is computed.
  ///
  /// - Parameter rows: of the one pass that comes; nil: several, or one of more rows than the few-row product takes.
  package func prepare(forPassOf rows: Int?, in parameters: ParameterStore, on pool: WorkerPool) {
    guard FewRows.takesPanels else { return }
    guard let rows else {
      if isInUse { patience *= 2 }
      return drop(from: parameters)
    }
    guard rows <= Self.rowLimit else { return }
    shortPasses += 1
    if shortPasses > patience { packNext(parameters, on: pool) }
  }

  /// Gives the memory back, and begins to count anew.
  package func drop(from parameters: ParameterStore) {
    shortPasses = 0
    guard isInUse else { return }
    for parameter in parameters.parameters { parameter.panels = nil }
    (memory, waiting, used) = (nil, nil, 0)
  }

  private func packNext(_ parameters: ParameterStore, on pool: WorkerPool) {
    let matrices = waiting ?? parameters.mappedMatrices.filter { FewRows.packs($0.0.matrix) }[...]
    waiting = matrices.dropFirst()
    guard let (parameter, file) = matrices.first else { return }
    let memory = memory ?? ZeroedMemory(floats: matrices.reduce(0) { $0 + $1.0.count })
    self.memory = memory
    let matrix = parameter.matrix
    let panels = Matrix(memory.floats + used, rows: matrix.rows, columns: matrix.columns)
    used += matrix.count
    FewRows.pack(matrix, into: panels, on: pool)
    parameter.panels = panels
    file.release(UnsafeRawBufferPointer(start: matrix.start, count: 4 * matrix.count))
  }
}
