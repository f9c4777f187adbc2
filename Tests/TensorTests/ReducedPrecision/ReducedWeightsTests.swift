import TestSupport
import Testing

@testable import Tensor

@Suite struct ReducedWeightsTests {
  /// Memory of weights that counts the bytes that were released.
  private final class File: MappedMemory, @unchecked Sendable {
    let floats: UnsafeMutablePointer<Float>
    let count: Int
    var isMapped: Bool { true }
    var released = 0

    init(_ count: Int) {
      self.count = count
      floats = .allocate(capacity: count)
      for i in 0..<count { floats[i] = Float((i * 7919) % 257 - 128) / 64 }
    }

    deinit { floats.deallocate() }

    func holds(_ address: UnsafeRawPointer) -> Bool {
      address >= UnsafeRawPointer(floats) && address < UnsafeRawPointer(floats + count)
    }

    func release(_ part: UnsafeRawBufferPointer) { released += part.count }
  }

  /// The first product of float32 weights packs them, the others use what is packed: all give the same bits, and the
  /// pages of the source are released after the first.
  @Test(arguments: [ReducedFormat.int8, .bfloat16, .bfloat16InOrder], [(16, 8), (37, 20), (64, 65), (1000, 24)])
  func products(_ format: ReducedFormat, _ shape: (rows: Int, columns: Int)) throws {
    let (rows, columns) = shape
    for (threads, exactColumns) in [(1, []), (2, []), (1, [3]), (2, [0, 5, 7])] {
      let file = File(rows * columns)
      let store = try ParameterStore(
        [TensorSpecification(name: "w", shape: [rows, columns], role: .kernel)], owners: [file]
      ) { _, _ in .borrowed(UnsafePointer(file.floats)) }
      let parameter = try #require(store["w"])
      let matrix = ReducedMatrix(parameter, as: format, exactColumns: exactColumns)
      store.reduce([matrix])
      let weights = try #require(parameter.reduced)
      let context = Context(pool: WorkerPool(threads: threads))
      let (x, bias) = (context.matrix(3, columns), context.matrix(1, rows))
      for i in 0..<x.count { x.start[i] = Float((i * 31) % 61) - 30 }
      for i in 0..<rows { bias.start[i] = Float(i) / 16 }
      func product(_ weights: ReducedWeights) -> [UInt32] {
        context.temporary {
          let y = context.matrix(3, rows)
          ReducedGEMM.multiply(
            ReducedGEMM.narrow(x, for: weights, context), weights, bias: bias.start, into: y, context)
          return y.bits
        }
      }
      let first = product(weights)
      #expect(weights.isPacked && file.released == 4 * rows * columns)
      #expect(product(weights) == first && file.released == 4 * rows * columns)

      // Packing in advance gives the same.
      store.reduce([matrix])
      store.packReduced(on: context.pool)
      let packed = try #require(parameter.reduced)
      #expect(packed.isPacked && file.released == 8 * rows * columns)
      #expect(product(packed) == first)
    }
  }

  /// If the source has the numbers that are packed, the first product keeps nothing, and the second packs them.
  @Test func productsOfStoredNumbers() throws {
    let (rows, columns) = (37, 20)
    let halves = (0..<rows * columns).map { ReducedFormat.bfloat16(Float($0 % 91 - 45) / 7) }
    try halves.withUnsafeBufferPointer { halves in
      let start = try #require(halves.baseAddress)
      let store = try ParameterStore([TensorSpecification(name: "w", shape: [rows, columns], role: .kernel)]) { _, _ in
        .stored(.bfloat16(start))
      }
      store.reduce([ReducedMatrix(try #require(store["w"]), as: .bfloat16)])
      let weights = try #require(store["w"]?.reduced)
      let context = Context(pool: WorkerPool(threads: 2))
      let x = context.matrix(3, columns)
      for i in 0..<x.count { x.start[i] = Float((i * 31) % 61) - 30 }
      var results: [[UInt32]] = []
      for isPacked in [false, true, true] {
        context.temporary {
          let y = context.matrix(3, rows)
          ReducedGEMM.multiply(ReducedGEMM.narrow(x, for: weights, context), weights, bias: nil, into: y, context)
          results.append(y.bits)
        }
        #expect(weights.isPacked == isPacked)
      }
      #expect(results[0] == results[1] && results[1] == results[2])
    }
  }

  /// Columns of 1,000 times the others: with them in float32, the others keep their digits.
  @Test(arguments: [ReducedFormat.int8, .bfloat16])
  func exactColumns(_ format: ReducedFormat) throws {
    try Bench.run { bench in
      let (rows, columns, outliers) = (20, 96, [2, 50])
      let (x, w) = (bench.matrix(5, columns), bench.matrix(rows, columns))
      for row in 0..<5 { for column in outliers { x[row][column] *= 1000 } }
      var worst: [Float] = []
      for exact in [[], outliers] {
        let store = try ParameterStore([TensorSpecification(name: "w", shape: [rows, columns], role: .kernel)]) {
          _, _ in
          .borrowed(w.start)
        }
        store.reduce([ReducedMatrix(try #require(store["w"]), as: format, exactColumns: exact)])
        let weights = try #require(store["w"]?.reduced)
        let y = bench.zeros(5, rows)
        ReducedGEMM.multiply(
          ReducedGEMM.narrow(x, for: weights, bench.context), weights, bias: nil, into: y, bench.context)
        var difference: Float = 0
        for i in 0..<5 {
          for j in 0..<rows {
            let sum = (0..<columns).reduce(0.0) { $0 + Double(x[i][$1]) * Double(w[j][$1]) }
            difference = max(difference, Float(abs(Double(y[i][j]) - sum)))
          }
        }
        worst.append(difference)
      }
      #expect(worst[0] > 1 && worst[1] < (format == .int8 ? 0.1 : 0.05), "\(worst)")
    }
  }

  /// Weights that are stored in each format give what their float32 values do.
  @Test func stored() throws {
    let (rows, columns) = (33, 24)
    let integers = (0..<rows * columns).map { Int8(truncatingIfNeeded: $0 * 37) }
    let scales = (0..<rows).map { 0.01 + Float($0) / 1024 }
    let halves = (0..<rows * columns).map { ReducedFormat.bfloat16(Float($0 % 91 - 45) / 7) }
    try integers.withUnsafeBufferPointer { integers in
      try halves.withUnsafeBufferPointer { halves in
        let (i, h) = try (#require(integers.baseAddress), #require(halves.baseAddress))
        for source in [MatrixSource.int8(i, scales: scales), .bfloat16(h)] {
          let store = try ParameterStore([TensorSpecification(name: "w", shape: [rows, columns], role: .kernel)]) {
            _, _ in .stored(source)
          }
          let parameter = try #require(store["w"])
          #expect(parameter.stored != nil)
          let values = parameter.withValues { Array(UnsafeBufferPointer(start: $0, count: rows * columns)) }
          #expect(values == parameter.matrix.array && parameter.stored != nil)
          var row = [Float](repeating: 0, count: columns)
          row.withUnsafeMutableBufferPointer { parameter.copyRow(5, to: $0.baseAddress!) }
          #expect(row == Array(values[5 * columns..<6 * columns]))
        }
      }
    }
  }

  @Test func roundingToBFloat16() {
    var bits: UInt32 = 0
    while true {
      let value = Float(bitPattern: bits)
      var result: UInt16 = 0
      withUnsafePointer(to: value) { ReducedFormat.roundToBFloat16($0, 1, to: &result) }
      if ReducedFormat.bfloat16(value) != result {
        Issue.record("\(value): \(ReducedFormat.bfloat16(value)), not \(result)")
        return
      }
      let (next, overflows) = bits.addingReportingOverflow(40_503)
      if overflows { break }
      bits = next
    }
  }
}
