import Files

/// A trained tensor: its name, its place in the parameter block, its values and, in training, its gradient.
///
/// A reference, so that layers that share a tensor (the token embedding and the head's projection) share the one object, and
/// so that the store can move the values (from the mapped file to a block of its own) without the layers noticing.
package final class Parameter: @unchecked Sendable {
  package let specification: TensorSpecification
  /// Where this tensor begins in the store's blocks, in elements.
  package let offset: Int
  package fileprivate(set) var values: UnsafeMutablePointer<Float>
  package fileprivate(set) var gradients: UnsafeMutablePointer<Float>?
  /// Whether a gradient is computed for it and the optimizer moves it.
  package var isTrainable = true
  /// Whether its values are the random ones that a new head starts from, which no step has changed.
  package var isUntrained = false
  /// Whether its gradient begins with a product, which then need not add to zeros.
  package var gradientBeginsWithProduct = false
  /// The values of a matrix packed for small-batch products, while `PackedWeights` has them.
  package var packed: Matrix?
  /// The matrix that the forward multiplies by after this one.
  package fileprivate(set) var following: Parameter?
  /// Whether the gradient is still to be begun: what lies there is of the step before.
  fileprivate(set) var gradientIsStale = false

  fileprivate init(_ specification: TensorSpecification, offset: Int, values: UnsafeMutablePointer<Float>) {
    self.specification = specification
    self.offset = offset
    self.values = values
  }

  package var name: String { specification.name }
  package var count: Int { specification.count }
  private var rows: Int { specification.shape.count > 1 ? specification.shape[0] : 1 }
  private var columns: Int { specification.shape.last ?? 1 }

  /// The values: rows × columns of a matrix, one row of a vector.
  package var matrix: Matrix { Matrix(values, rows: rows, columns: columns) }

  /// Where to add the gradient, or nil where none is wanted.
  package var gradient: Matrix? {
    guard isTrainable, let gradients else { return nil }
    return Matrix(gradients, rows: rows, columns: columns)
  }

  /// Whether a product that gives a part of the gradient is to add it to what lies there, rather than take its place.
  package func addsToGradient() -> Bool {
    defer { gradientIsStale = false }
    return !gradientIsStale
  }
}

/// All parameters of a model: one block of values, one of gradients in training, one table of names.
///
/// For inference the values of a float32 file are used where they lie in the mapping; `makeTrainable` copies them into a block.
package final class ParameterStore: @unchecked Sendable {
  package let parameters: [Parameter]
  /// The number of elements of all parameters together.
  package let count: Int
  private let byName: [String: Int]
  private var values: ZeroedMemory?
  private var gradients: ZeroedMemory?
  /// What the values point into while they are not in the block.
  private var keepAlive: [AnyObject] = []
  package let packedWeights = PackedWeights()

  /// Where a parameter's values come from.
  package enum Source {
    /// Memory that `owner` keeps alive and nobody writes to.
    case borrowed(UnsafePointer<Float>)
    /// To be filled in now.
    case fill((UnsafeMutablePointer<Float>) throws -> Void)
  }

  /// - Parameter source: asked once for each parameter, in order.
  package init(
    _ specifications: [TensorSpecification], owners: [AnyObject] = [],
    source: (_ index: Int, TensorSpecification) throws -> Source
  ) throws {
    var parameters: [Parameter] = []
    var offset = 0
    var filled: [UnsafeMutablePointer<Float>] = []
    do {
      for (index, specification) in specifications.enumerated() {
        let values: UnsafeMutablePointer<Float>
        switch try source(index, specification) {
        case .borrowed(let pointer):
          values = UnsafeMutablePointer(mutating: pointer)
        case .fill(let fill):
          values = .allocate(capacity: max(1, specification.count))
          filled.append(values)
          try fill(values)
        }
        parameters.append(Parameter(specification, offset: offset, values: values))
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

  /// The size of each block, in elements, the gaps between tensors counted.
  package let blockSize: Int
  /// Tensors allocated one by one, until they move into the block.
  private var single: [UnsafeMutablePointer<Float>]

  deinit {
    for pointer in single { pointer.deallocate() }
  }

  package subscript(name: String) -> Parameter? { byName[name].map { parameters[$0] } }

  /// The block of values; nil before `makeTrainable`.
  package var valueBlock: UnsafeMutablePointer<Float>? { values?.floats }

  var gradientBlock: UnsafeMutablePointer<Float>? { gradients?.floats }

  /// Which parameters are untrained, in their order.
  package var untrained: [Bool] {
    get { parameters.map(\.isUntrained) }
    set { for (parameter, isUntrained) in zip(parameters, newValue) { parameter.isUntrained = isUntrained } }
  }

  /// Takes note of a step that changed all trainable parameters.
  package func noteStep() {
    for parameter in parameters where parameter.isTrainable { parameter.isUntrained = false }
  }

  /// Moves the values into one block of this store's own and makes room for gradients. Does nothing the second time.
  package func makeTrainable() {
    guard self.values == nil else { return }
    packedWeights.drop(from: self)
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

  /// Tells each matrix which one is multiplied by after it, from the names in the order of the computation.
  package func setOrder(ofProducts names: [String]) {
    for (name, next) in zip(names, names.dropFirst()) { self[name]?.following = self[next] }
  }

  /// The matrices that products multiply by, as far as they lie in mapped files.
  var mappedMatrices: [(Parameter, FileMapping)] {
    let files = keepAlive.compactMap { $0 as? FileMapping }.filter(\.isMapped)
    return parameters.filter { $0.specification.role == .kernel }.compactMap { parameter in
      files.first { $0.holds(parameter.values) }.map { (parameter, $0) }
    }
  }

  /// Begins a step's gradients: sets to zero what is only ever added to.
  package func clearGradients(on pool: WorkerPool) {
    guard gradients != nil else { return }
    for parameter in parameters {
      parameter.gradientIsStale = true
      if !parameter.gradientBeginsWithProduct { clear(parameter, on: pool) }
    }
  }

  /// Ends them: what no product has written to is zero.
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
