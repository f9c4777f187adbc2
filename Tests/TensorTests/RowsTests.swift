import TestSupport
import Testing

@testable import Tensor

@Suite struct RowsTests {
  @Test(arguments: [1, 2, 3], [1, 8, 13, 37])
  func sumsGathersAndScatters(_ threads: Int, _ width: Int) {
    Bench.run(threads: threads) { bench in
      let pool = bench.context.pool
      let x = bench.matrix(9, width, stride: width + 3)
      let total = bench.zeros(1, width)
      Rows.addSum(of: x, to: total.start, bench.context)
      for column in 0..<width { #expect(total[0][column] == (0..<9).reduce(0) { $0 + x[$1][column] }) }

      let indices: [Int32] = [3, 0, 3, 8, 3]
      let gathered = bench.matrix(5, width)
      Rows.gather(x, indices, into: gathered, on: pool)
      for (row, index) in indices.enumerated() {
        #expect(gathered.rows(row..<row + 1).array == x.rows(Int(index)..<Int(index) + 1).array)
      }

      let target = bench.zeros(9, width)
      Rows.scatterAdd(gathered, indices, to: target, on: pool)
      for column in 0..<width {
        #expect(target[3][column] == gathered[0][column] + gathered[2][column] + gathered[4][column])
        #expect(target[0][column] == gathered[1][column] && target[1][column] == 0)
      }
      Rows.gather(x, [], into: bench.matrix(0, width), on: pool)
      Rows.scatterAdd(bench.matrix(0, width), [], to: target, on: pool)
    }
  }

  /// More rows than in a block: the last bit is the same for any number of workers.
  @Test(arguments: [31, 32, 33, 300]) func longSumsDoNotDependOnThreads(_ rows: Int) {
    func sum(_ threads: Int) -> [UInt32] {
      Bench.run(threads: threads) { bench in
        let (x, total) = (bench.matrix(rows, 100), bench.zeros(1, 100))
        Rows.addSum(of: x, to: total.start, bench.context)
        for column in 0..<100 {
          let exact = (0..<rows).reduce(0) { $0 + Double(x[$1][column]) }
          #expect(abs(Double(total[0][column]) - exact) < 1e-4)
        }
        return total.bits
      }
    }
    for threads in [2, 3, 8] { #expect(sum(threads) == sum(1)) }
  }
}
