import TestSupport
import Testing

@testable import Model

@Suite struct HeadTests {
  private let configuration = Configuration(
    vocabularySize: 13, hiddenDim: 6, numLayers: 0, numHeads: 1, intermediateDim: 8, maxSequenceLength: 4,
    headLayerNormEpsilon: 1e-5)

  @Test(arguments: [1, 5])
  func backward(_ rows: Int) throws {
    try Bench.run(threads: 2) { bench in
      let head = try bench.network(configuration).head
      let x = bench.matrix(rows, 6)
      let c = bench.matrix(rows, 13)
      let memory = head.forward(x, bench.context)
      let (dn, dx) = (bench.matrix(rows, 6), bench.matrix(rows, 6))
      head.backwardProjection(c, n: memory.n, into: dn, bench.context)
      head.backward(dn, memory, into: dx, bench.context)
      let logits = bench.matrix(rows, 13)
      func loss() -> Double {
        bench.context.temporary {
          head.project(head.forward(x, bench.context).n, into: logits, bench.context)
          return weighted(logits, c)
        }
      }
      expectDifferences("x", of: x, are: dx, tolerance: 4e-3, loss: loss)
      for parameter in [
        head.transform.weight, head.transform.bias, head.norm.gain, head.norm.bias, head.output, head.bias,
      ] {
        try expectDifferences(of: parameter, tolerance: 4e-3, loss: loss)
      }
    }
  }

  @Test(arguments: [1, 3, 7, 100])
  func piecesOfLogitsAreTheWhole(_ piece: Int) throws {
    try Bench.run { bench in
      let head = try bench.network(configuration).head
      let n = bench.matrix(7, 6)
      let whole = bench.matrix(7, 13)
      head.project(n, into: whole, bench.context)
      var next = 0
      head.forEachLogits(n, rows: piece, bench.context) { rows, logits in
        #expect(rows.lowerBound == next && logits.rows == rows.count)
        next = rows.upperBound
        #expect(largestDifference(logits.array, whole.rows(rows).array) < 1e-5)
      }
      #expect(next == 7)
      head.forEachLogits(bench.matrix(0, 6), rows: piece, bench.context) { _, _ in Issue.record("no rows, no call") }
    }
  }
}
