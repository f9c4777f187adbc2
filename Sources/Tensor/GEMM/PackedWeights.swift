import CKernels

/// The matrices of a model packed for small-batch products, in a process that processes one short text after another.
///
/// With AVX2, a pass of up to 48 rows then takes some 8 % less time, with the same results to the last bit. Packing all
/// matrices costs as much as 30 to 150 such passes save, most of it the system's for new memory: so it starts after
/// some passes, with one matrix per pass, so that no single pass waits for all of them. Memory stays as it is: the
/// file's pages are released as packed ones are added, and only matrices in mapped files are packed. A pass that needs
/// the file's pages again drops the packed matrices, and twice as many short passes must come before the next time.
package final class PackedWeights {
  /// The largest number of rows for which packed weights are faster.
  private static let rowLimit = 48

  /// The memory of all packed matrices; nil before the first is packed.
  private var memory: ZeroedMemory?
  private var used = 0
  /// The matrices that are still to be packed; nil before they are known.
  private var unpacked: ArraySlice<(Parameter, any MappedMemory)>?
  private var shortPasses = 0
  private var passesBeforePacking = 32

  /// Whether anything is packed.
  var isInUse: Bool { memory != nil }

  /// Prepares a pass. Must be called before it, while nothing else is computed.
  ///
  /// - Parameter rows: the rows of a single pass; nil for several passes, or for more rows than `SmallBatchGEMM`
  ///   handles.
  package func prepare(forPassOf rows: Int?, in parameters: ParameterStore, on pool: WorkerPool) {
    guard SmallBatchGEMM.supportsPackedWeights else { return }
    guard let rows else {
      if isInUse { passesBeforePacking *= 2 }
      return drop(from: parameters)
    }
    guard rows <= Self.rowLimit else { return }
    shortPasses += 1
    if shortPasses > passesBeforePacking { packNext(parameters, on: pool) }
  }

  /// Releases the memory and restarts the count of short passes.
  func drop(from parameters: ParameterStore) {
    shortPasses = 0
    guard isInUse else { return }
    for parameter in parameters.parameters { parameter.packed = nil }
    (memory, unpacked, used) = (nil, nil, 0)
  }

  private func packNext(_ parameters: ParameterStore, on pool: WorkerPool) {
    let matrices = unpacked ?? parameters.mappedMatrices.filter { SmallBatchGEMM.canPack($0.0.matrix) }[...]
    unpacked = matrices.dropFirst()
    guard let (parameter, file) = matrices.first else { return }
    let memory = memory ?? ZeroedMemory(floats: matrices.reduce(0) { $0 + $1.0.count })
    self.memory = memory
    let matrix = parameter.matrix
    let packed = Matrix(memory.floats + used, rows: matrix.rows, columns: matrix.columns)
    used += matrix.count
    SmallBatchGEMM.pack(matrix, into: packed, on: pool)
    parameter.packed = packed
    file.release(UnsafeRawBufferPointer(start: matrix.start, count: 4 * matrix.count))
  }
}
