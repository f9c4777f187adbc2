import TestSupport
import Testing

@testable import Model

@Suite struct FeedForwardTests {
  @Test(arguments: [1, 5], [Configuration.Activation.gelu, .relu])
  func backward(_ rows: Int, _ kind: Configuration.Activation) throws {
    try Bench.run(threads: 2) { bench in
      let layer = FeedForward(
        first: try bench.dense(9, 5), second: try bench.dense(5, 9), activation: ActivationFunction(kind: kind))
      let x = bench.matrix(rows, 5)
      let (y, dy, dx) = (bench.matrix(rows, 5), bench.matrix(rows, 5), bench.zeros(rows, 5))
      let memory = layer.forward(x, into: y, bench.context)
      if kind == .relu {
        // relu has a kink at zero: no inner value may reach it within a step.
        for row in 0..<rows { for column in 0..<9 where abs(memory.h[row][column]) < 0.05 { return } }
      }
      layer.backward(dy, memory, addingTo: dx, bench.context)
      func loss() -> Double {
        bench.context.temporary {
          _ = layer.forward(x, into: y, bench.context)
          return weighted(y, dy)
        }
      }
      expectDifferences("x", of: x, are: dx, loss: loss)
      for dense in [layer.first, layer.second] {
        try expectDifferences(of: dense.weight, loss: loss)
        try expectDifferences(of: dense.bias, loss: loss)
      }
    }
  }
}
