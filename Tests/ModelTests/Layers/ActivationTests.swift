import Glibc
import TestSupport
import Testing

@testable import Model

@Suite struct ActivationTests {
  @Test func geluAndItsDerivative() {
    Bench.run(threads: 2) { bench in
      let gelu = ActivationFunction(kind: .gelu)
      let (rows, columns) = (61, 163)
      let x = bench.matrix(rows, columns, scale: 9)
      x[0][0] = 0
      let (y, ones) = (bench.matrix(rows, columns), bench.matrix(rows, columns))
      for row in 0..<rows { for column in 0..<columns { ones[row][column] = 1 } }
      gelu.forward(x, into: y, bench.context)
      gelu.backward(ones, x: x, into: ones, bench.context)
      for (x, (y, dx)) in zip(x.array.map(Double.init), zip(y.array.map(Double.init), ones.array.map(Double.init))) {
        let cumulative = 0.5 * Glibc.erfc(-x / 2.0.squareRoot())
        let density = Glibc.exp(-0.5 * x * x) / (2 * Double.pi).squareRoot()
        #expect(abs(y - x * cumulative) < 4e-7 * max(1, abs(x)))
        #expect(abs(dx - (cumulative + x * density)) < 6e-7)
      }
    }
  }

  @Test(arguments: [Configuration.Activation.gelu, .relu], [1, 7, 8, 21])
  func backwardByDifferences(_ kind: Configuration.Activation, _ width: Int) {
    Bench.run(threads: 2) { bench in
      let activation = ActivationFunction(kind: kind)
      let x = bench.matrix(3, width, scale: 2)
      // relu has no derivative at zero.
      for row in 0..<3 { for column in 0..<width where abs(x[row][column]) < 0.05 { x[row][column] = 0.5 } }
      let (y, dy, dx) = (bench.matrix(3, width), bench.matrix(3, width), bench.matrix(3, width))
      activation.backward(dy, x: x, into: dx, bench.context)
      expectDifferences("x", of: x, are: dx) {
        activation.forward(x, into: y, bench.context)
        return weighted(y, dy)
      }
    }
  }

  @Test(arguments: [Configuration.Activation.gelu, .relu])
  func notANumberStaysOne(_ kind: Configuration.Activation) {
    Bench.run { bench in
      let x = bench.matrix(1, 11)
      for column in [2, 10] { x[0][column] = .nan }
      ActivationFunction(kind: kind).forward(x, into: x, bench.context)
      #expect((0..<11).filter { x[0][$0].isNaN } == [2, 10])
    }
  }
}
