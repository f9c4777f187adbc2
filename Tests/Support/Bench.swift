import Tensor

/// A test bench for layers: memory, workers, random numbers and parameters, all of which live until the body ends.
///
/// `Matrix` and `Parameter` are views of memory with other owners, and Swift releases an owner after its last use. So
/// the bench owns everything that a test uses.
package final class Bench {
  package let context: Context
  package var random: RandomStream
  private var kept: [AnyObject] = []

  private init(threads: Int, seed: UInt64) {
    context = Context(pool: WorkerPool(threads: threads))
    random = RandomStream(seed: seed, purpose: .initialization)
  }

  package static func run<Result>(threads: Int = 1, seed: UInt64 = 1, _ body: (Bench) throws -> Result) rethrows
    -> Result
  {
    let bench = Bench(threads: threads, seed: seed)
    return try withExtendedLifetime(bench) { try body(bench) }
  }

  /// A random number, uniform in −scale ..< scale.
  package func number(_ scale: Float = 1) -> Float { (2 * random.uniform() - 1) * scale }

  /// A matrix of random numbers. With a stride, the numbers between the rows are random too.
  package func matrix(_ rows: Int, _ columns: Int, stride: Int? = nil, scale: Float = 1) -> Matrix {
    let stride = stride ?? columns
    let values = context.arena.floats(rows * stride)
    for index in 0..<rows * stride { values[index] = number(scale) }
    return Matrix(values, rows: rows, columns: columns, stride: stride)
  }

  package func zeros(_ rows: Int, _ columns: Int) -> Matrix {
    let matrix = context.matrix(rows, columns)
    matrix.setToZero()
    return matrix
  }

  package func copy(_ matrix: Matrix) -> Matrix {
    let copy = context.matrix(matrix.rows, matrix.columns)
    copy.copy(from: matrix)
    return copy
  }

  /// Keeps an object alive until the body ends.
  package func keep(_ object: AnyObject) { kept.append(object) }

  /// Parameters with random values and gradients.
  package func parameters(_ specifications: [TensorSpecification], trainable: Bool = true) throws -> ParameterStore {
    let store = try ParameterStore(specifications) { _, specification in
      .fill { values in
        for index in 0..<specification.count { values[index] = self.number(0.5) }
        // Gains near one, so that no row vanishes.
        if specification.role == .normGain { for index in 0..<specification.count { values[index] += 1 } }
      }
    }
    if trainable { store.makeTrainable() }
    keep(store)
    return store
  }
}

extension Matrix {
  package var array: [Float] { (0..<rows).flatMap { row in (0..<columns).map { self[row][$0] } } }
  /// The bits of all elements, which distinguish NaNs and the signs of zero.
  package var bits: [UInt32] { array.map(\.bitPattern) }
}
