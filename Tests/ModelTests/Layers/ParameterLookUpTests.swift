import TestSupport
import Testing

@testable import Model
@testable import Tensor

@Suite struct ParameterLookUpTests {
  @Test func missingParametersAreNamed() throws {
    try Bench.run { bench in
      let store = try bench.parameters([TensorSpecification(name: "p.x.weight", shape: [2, 2], role: .kernel)])
      let lookUp = ParameterLookUp(store)
      #expect(try lookUp["p.x.weight"].name == "p.x.weight")
      let error = #expect(throws: MissingParameter.self) { _ = try lookUp.dense("p.x") }
      #expect(error?.message == "the model has no parameter 'p.x.bias'")
    }
  }
}
