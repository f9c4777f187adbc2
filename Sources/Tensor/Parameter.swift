/// A trained tensor: its name, its offset in the parameter block, its values and, in training, its gradient.
///
/// It is a class, so that layers that share a tensor (the token embedding and the head's projection) share one object,
/// and the store can move the values (from the mapped file to its own block) without changes to the layers.
package final class Parameter: @unchecked Sendable {
  package let specification: TensorSpecification
  /// The offset of this tensor in the store's blocks, in elements.
  package let offset: Int
  private var storedValues: UnsafeMutablePointer<Float>?
  /// A matrix that is only used in reduced precision: float32 values are made when they are first needed.
  private let source: MatrixSource?
  package fileprivate(set) var gradients: UnsafeMutablePointer<Float>?
  /// Whether its gradient is computed and the optimizer updates it.
  package var isTrainable = true
  /// Whether its values are still the random initial values of a new head.
  package var isUntrained = false
  /// Whether its gradient begins with a product, which overwrites the memory, so that it need not be cleared.
  package var gradientBeginsWithProduct = false
  /// The values of a matrix packed for small-batch products, if `PackedWeights` has packed them.
  package var packed: Matrix?
  /// The values of a matrix in reduced precision, by which products multiply instead.
  package fileprivate(set) var reduced: ReducedWeights?
  /// The matrix by which the forward pass multiplies after this one.
  package fileprivate(set) var following: Parameter?
  /// Whether the gradient still has the values of the previous step.
  fileprivate(set) var gradientIsStale = false

  fileprivate init(_ specification: TensorSpecification, offset: Int, values: UnsafeMutablePointer<Float>) {
    self.specification = specification
    self.offset = offset
    storedValues = values
    source = nil
  }

  fileprivate init(_ specification: TensorSpecification, offset: Int, source: MatrixSource) {
    self.specification = specification
    self.offset = offset
    self.source = source
  }

  /// The float32 values. Not for several threads at once, unless the model is float32.
  package fileprivate(set) var values: UnsafeMutablePointer<Float> {
    get {
      if let storedValues { return storedValues }
      let values = UnsafeMutablePointer<Float>.allocate(capacity: max(1, count))
      for row in 0..<rows { source?.copyRow(row, columns, to: values + row * columns) }
      (storedValues, ownsValues) = (values, true)
      return values
    }
    set {
      freeOwnValues()
      storedValues = newValue
    }
  }

  /// Whether the values were made from the source.
  private var ownsValues = false

  private func freeOwnValues() {
    if ownsValues { storedValues?.deallocate() }
    ownsValues = false
  }

  deinit { freeOwnValues() }

  /// Calls a body with each row of the values, on one of the pool's threads.
  package func forEachRow(on pool: WorkerPool, _ body: (_ row: Int, UnsafePointer<Float>) -> Void) {
    pool.split(rows) { _, range in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: columns) { copy in
        guard let copy = copy.baseAddress else { return }
        for row in range {
          if let storedValues {
            body(row, storedValues + row * columns)
          } else {
            copyRow(row, to: copy)
            body(row, copy)
          }
        }
      }
    }
  }

  /// Copies a row of the values.
  @inline(__always)
  package func copyRow(_ row: Int, to target: UnsafeMutablePointer<Float>) {
    if let storedValues {
      target.update(from: storedValues + row * columns, count: columns)
    } else {
      source?.copyRow(row, columns, to: target)
    }
  }

  /// The matrix in the format of its file, if it is only used in reduced precision.
  package var stored: MatrixSource? { storedValues == nil || ownsValues ? source : nil }

  /// Whether the file has integers.
  package var isStoredInInt8: Bool { if case .int8 = stored { true } else { false } }

  /// Calls a body with the float32 values, which are made for the call if there are none.
  package func withValues<Value>(_ body: (UnsafePointer<Float>) throws -> Value) rethrows -> Value {
    if let storedValues { return try body(storedValues) }
    return try withUnsafeTemporaryAllocation(of: Float.self, capacity: max(1, count)) { values in
      guard let start = values.baseAddress else { return try body(self.values) }
      for row in 0..<rows { source?.copyRow(row, columns, to: start + row * columns) }
      return try body(start)
    }
  }

  /// The source of the values for products in reduced precision.
  fileprivate var matrixSource: MatrixSource { source ?? .float32(values) }

  package var name: String { specification.name }
  package var count: Int { specification.count }
  fileprivate var rows: Int { specification.shape.count > 1 ? specification.shape[0] : 1 }
  fileprivate var columns: Int { specification.shape.last ?? 1 }

  /// The values as rows × columns; a vector is one row.
  package var matrix: Matrix { Matrix(values, rows: rows, columns: columns) }

  /// The destination of the gradient, or nil if none is computed.
  package var gradient: Matrix? {
    guard isTrainable, let gradients else { return nil }
    return Matrix(gradients, rows: rows, columns: columns)
  }

  /// Whether a product adds its part of the gradient to the current values, rather than overwriting them. To be called
  /// once per product.
  package func addsToGradient() -> Bool {
    defer { gradientIsStale = false }
    return !gradientIsStale
  }
}

/// All parameters of a model: one block of values, one block of gradients in training, one table of names.
///
/// Inference uses the values of a float32 file in place, in the mapping; `makeTrainable` copies them into a block.
package final class ParameterStore: @unchecked Sendable {
  package let parameters: [Parameter]
  /// The number of elements of all parameters together.
  package let count: Int
  private let byName: [String: Int]
  private var values: ZeroedMemory?
  private var gradients: ZeroedMemory?
  /// The owners of the memory of values that are not in the block.
  private var keepAlive: [AnyObject] = []
  package let packedWeights = PackedWeights()

  /// The source of a parameter's values.
  package enum Source {
    /// Read-only memory that one of the `owners` keeps alive.
    case borrowed(UnsafePointer<Float>)
    /// A function that fills in the values.
    case fill((UnsafeMutablePointer<Float>) throws -> Void)
    /// Read-only memory in another format that one of the `owners` keeps alive, for products in reduced precision.
    case stored(MatrixSource)
  }

  /// - Parameters:
  ///   - owners: the owners of borrowed values.
  ///   - source: called once for each parameter, in order.
  package init(
    _ specifications: [TensorSpecification], owners: [AnyObject] = [],
    source: (_ index: Int, TensorSpecification) throws -> Source
  ) throws {
    var parameters: [Parameter] = []
    var offset = 0
    var filled: [UnsafeMutablePointer<Float>] = []
    do {
      for (index, specification) in specifications.enumerated() {
        switch try source(index, specification) {
        case .borrowed(let pointer):
          parameters.append(Parameter(specification, offset: offset, values: UnsafeMutablePointer(mutating: pointer)))
        case .fill(let fill):
          let values = UnsafeMutablePointer<Float>.allocate(capacity: max(1, specification.count))
          filled.append(values)
          try fill(values)
          parameters.append(Parameter(specification, offset: offset, values: values))
        case .stored(let matrix):
          parameters.append(Parameter(specification, offset: offset, source: matrix))
        }
        // Each tensor begins at a multiple of 16 elements: one cache line.
        offset += (specification.count + 15) & ~15
      }
    } catch {
      for pointer in filled { pointer.deallocate() }
      throw error
    }
    self.parameters = parameters
    count = parameters.reduce(0) { $0 + $1.count }
    blockSize = offset
    single = filled
    keepAlive = owners
    byName = Dictionary(parameters.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The size of each block, in elements, including the gaps between tensors.
  package let blockSize: Int
  /// The memory of tensors that are allocated one by one, until they move into the block.
  private var single: [UnsafeMutablePointer<Float>]

  deinit {
    for pointer in single { pointer.deallocate() }
  }

  package subscript(name: String) -> Parameter? { byName[name].map { parameters[$0] } }

  /// The block of values; nil before `makeTrainable`.
  package var valueBlock: UnsafeMutablePointer<Float>? { values?.floats }

  var gradientBlock: UnsafeMutablePointer<Float>? { gradients?.floats }

  /// Whether each parameter is untrained, in order.
  package var untrained: [Bool] {
    get { parameters.map(\.isUntrained) }
    set { for (parameter, isUntrained) in zip(parameters, newValue) { parameter.isUntrained = isUntrained } }
  }

  /// Marks all trainable parameters as trained.
  package func noteStep() {
    for parameter in parameters where parameter.isTrainable { parameter.isUntrained = false }
  }

  /// Moves the values into one block and allocates the gradients. Later calls do nothing.
  package func makeTrainable() {
    guard self.values == nil else { return }
    packedWeights.drop(from: self)
    for parameter in parameters { parameter.reduced = nil }
    let (valueMemory, gradientMemory) = (ZeroedMemory(floats: blockSize), ZeroedMemory(floats: blockSize))
    let (values, gradients) = (valueMemory.floats, gradientMemory.floats)
    for parameter in parameters {
      (values + parameter.offset).update(from: parameter.values, count: parameter.count)
      parameter.values = values + parameter.offset
      parameter.gradients = gradients + parameter.offset
    }
    self.values = valueMemory
    self.gradients = gradientMemory
    for pointer in single { pointer.deallocate() }
    single = []
    keepAlive = []
  }

  /// Gives matrices a copy in reduced precision, by which products multiply from then on. They are packed by products,
  /// or by `packReduced`.
  package func reduce(_ matrices: [ReducedMatrix]) {
    packedWeights.drop(from: self)
    var total = 0
    let offsets = matrices.map { matrix in
      defer {
        let bytes = ReducedWeights.bytes(
          rows: matrix.parameter.rows, columns: matrix.parameter.columns, as: matrix.format)
        total += (bytes + 63) / 64 * 64
      }
      return total
    }
    let memory = ZeroedMemory(bytes: total)
    for (matrix, offset) in zip(matrices, offsets) {
      let parameter = matrix.parameter
      let source = parameter.matrixSource
      parameter.reduced = ReducedWeights(
        source, of: file(of: source.bytes(parameter.count)), rows: parameter.rows, columns: parameter.columns,
        as: matrix.format, exactColumns: matrix.exactColumns, in: memory, at: offset)
    }
  }

  private func file(of bytes: UnsafeRawBufferPointer) -> (any MappedMemory)? {
    guard let start = bytes.baseAddress else { return nil }
    return keepAlive.lazy.compactMap { $0 as? any MappedMemory }.first { $0.holds(start) }
  }

  /// Releases the pages of a matrix in a mapped file: each look-up of a row makes its neighbors resident, too.
  package func releasePages(of parameter: Parameter) {
    let bytes = parameter.matrixSource.bytes(parameter.count)
    file(of: bytes)?.release(bytes)
  }

  /// Packs all matrices in reduced precision that no product has packed yet, and releases the pages of their files.
  package func packReduced(on pool: WorkerPool) {
    for weights in parameters.compactMap(\.reduced) where !weights.isPacked {
      pool.split(weights.rows, alignment: ReducedWeights.panel) { _, rows in
        for start in stride(from: rows.lowerBound, to: rows.upperBound, by: weights.rowsPerRelease) {
          let part = start..<min(start + weights.rowsPerRelease, rows.upperBound)
          weights.pack(part)
          weights.releaseSource(of: part)
        }
      }
      weights.isPacked = true
    }
  }

  /// Sets the `following` matrix of each matrix, from the names in the order of the products.
  package func setOrder(ofProducts names: [String]) {
    for (name, next) in zip(names, names.dropFirst()) { self[name]?.following = self[next] }
  }

  /// The matrices of products that lie in mapped files.
  var mappedMatrices: [(Parameter, any MappedMemory)] {
    let files = keepAlive.compactMap { $0 as? any MappedMemory }.filter(\.isMapped)
    return parameters.filter { $0.specification.role == .kernel }.compactMap { parameter in
      files.first { $0.holds(parameter.values) }.map { (parameter, $0) }
    }
  }

  /// Prepares the gradients for a step: clears those that do not begin with a product.
  package func clearGradients(on pool: WorkerPool) {
    guard gradients != nil else { return }
    for parameter in parameters {
      parameter.gradientIsStale = true
      if !parameter.gradientBeginsWithProduct { clear(parameter, on: pool) }
    }
  }

  /// Completes the gradients of a step: clears those that no product has written.
  package func clearStaleGradients(on pool: WorkerPool) {
    for parameter in parameters where parameter.gradientIsStale { clear(parameter, on: pool) }
  }

  private func clear(_ parameter: Parameter, on pool: WorkerPool) {
    parameter.gradientIsStale = false
    guard let gradients = parameter.gradients else { return }
    let pool = parameter.count < 65_536 ? .serial : pool
    pool.split(parameter.count) { _, range in (gradients + range.lowerBound).update(repeating: 0, count: range.count) }
  }
}

/// A matrix to compute in reduced precision.
package struct ReducedMatrix {
  package let parameter: Parameter
  package let format: ReducedFormat
  /// The columns that stay float32, in order.
  package let exactColumns: [Int]

  package init(_ parameter: Parameter, as format: ReducedFormat, exactColumns: [Int] = []) {
    (self.parameter, self.format, self.exactColumns) = (parameter, format, exactColumns)
  }
}

/// Memory that may be a mapped file: its pages can be released, and are read again when they are used.
package protocol MappedMemory: AnyObject {
  /// Whether the memory is a mapping. Otherwise releasing does nothing.
  var isMapped: Bool { get }

  /// Whether an address lies in it.
  func holds(_ address: UnsafeRawPointer) -> Bool

  /// Releases the pages of a part.
  func release(_ part: UnsafeRawBufferPointer)
}
