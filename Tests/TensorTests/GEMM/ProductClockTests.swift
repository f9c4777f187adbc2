import Testing

@testable import Tensor

/// The time in all kinds of matrix products is measured on request.
@Suite(.serialized) struct ProductClockTests {
  func multiply(rows: Int) {
    let arena = Arena()
    let context = Context(pool: .serial, arena: arena)
    let (x, w, y) = (context.matrix(rows, 256), context.matrix(256, 256), context.matrix(rows, 256))
    for matrix in [x, w] { matrix.setToZero() }
    if SmallBatchGEMM.handles(rows: rows, columns: 256, inner: 256, threads: 1) {
      SmallBatchGEMM.multiply(x, w, bias: nil, into: y, context)
    } else {
      GEMM.multiply(x, .normal, w, .transposed, into: y, on: context.pool)
    }
    withExtendedLifetime(arena) {}
  }

  @Test(arguments: [1, 8, 600]) func counts(_ rows: Int) {
    ProductClock.start()
    let before = ProductClock.seconds
    multiply(rows: rows)
    #expect(ProductClock.seconds > before)
    ProductClock.stop()
  }
}
