import TestSupport
import Testing

@testable import Tensor

@Suite struct ParameterTests {
  private func specification(_ name: String, _ shape: [Int], _ role: TensorSpecification.Role = .kernel)
    -> TensorSpecification
  {
    TensorSpecification(name: name, shape: shape, role: role)
  }

  /// Borrowed memory that records when it is freed.
  private final class Owner {
    let values: UnsafeMutablePointer<Float>
    let ended: () -> Void
    init(_ count: Int, ended: @escaping () -> Void) {
      values = .allocate(capacity: count)
      for index in 0..<count { values[index] = Float(index) + 0.5 }
      self.ended = ended
    }
    deinit {
      values.deallocate()
      ended()
    }
  }

  @Test func valuesMoveIntoTheBlock() throws {
    var ownerEnded = false
    var owner: Owner? = Owner(21) { ownerEnded = true }
    let borrowed = UnsafePointer(try #require(owner).values)
    let list = [specification("a", [3, 7]), specification("b", [5], .bias), specification("c", [0, 4])]
    let store = try ParameterStore(list, owners: [try #require(owner)]) { index, specification in
      index == 0 ? .borrowed(borrowed) : .fill { for i in 0..<specification.count { $0[i] = Float(i) - 2 } }
    }
    owner = nil
    #expect(!ownerEnded)
    let (a, b) = (try #require(store["a"]), try #require(store["b"]))
    #expect(
      UnsafePointer(a.values) == borrowed && a.gradient == nil && store.valueBlock == nil && store.gradientBlock == nil)
    let before = store.parameters.map { $0.matrix.bits }

    store.makeTrainable()
    #expect(ownerEnded)
    #expect(store.parameters.map { $0.matrix.bits } == before)
    #expect(b.matrix.array == [-2, -1, 0, 1, 2] && b.matrix.rows == 1 && a.matrix.rows == 3)
    #expect(store.count == 26)
    for parameter in store.parameters {
      #expect(parameter.values == store.valueBlock.map { $0 + parameter.offset } && parameter.offset % 16 == 0)
      #expect(try #require(parameter.gradient).array.allSatisfy { $0 == 0 })
    }
    #expect(a.offset + a.count <= b.offset && b.offset + b.count <= store.blockSize)

    // A second call moves nothing.
    let block = store.valueBlock
    a.values[0] = 77
    store.makeTrainable()
    #expect(store.valueBlock == block && a.values[0] == 77)

    try #require(a.gradient).start[20] = 3
    try #require(b.gradient).start[4] = 3
    store.clearGradients(on: WorkerPool(threads: 2))
    for parameter in [a, b] { #expect(try #require(parameter.gradient).array.allSatisfy { $0 == 0 }) }

    // A gradient that begins with a product is overwritten by it, or cleared at the end if there was none.
    for parameter in [a, b] { parameter.gradientBeginsWithProduct = true }
    for parameter in [a, b] { try #require(parameter.gradient).start[2] = 3 }
    store.clearGradients(on: WorkerPool(threads: 2))
    #expect(try #require(a.gradient).start[2] == 3)
    #expect(!a.addsToGradient() && a.addsToGradient())
    store.clearStaleGradients(on: WorkerPool(threads: 2))
    #expect(try #require(a.gradient).start[2] == 3 && #require(b.gradient).start[2] == 0)
    a.isTrainable = false
    #expect(a.gradient == nil)
    #expect(store["d"] == nil)
    withExtendedLifetime(store) {}
  }

  @Test func anErrorComesThrough() {
    struct Broken: Error {}
    #expect(throws: Broken.self) {
      _ = try ParameterStore([specification("a", [3]), specification("b", [2])]) { index, _ in
        .fill { if index == 1 { throw Broken() } else { $0[0] = 1 } }
      }
    }
  }
}
