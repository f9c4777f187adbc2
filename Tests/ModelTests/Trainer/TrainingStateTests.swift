import Testing

@testable import Model
@testable import Text

@Suite struct TrainingStateTests {
  private static var state: TrainingState {
    var state = TrainingState()
    (state.epoch, state.position, state.step, state.updates) = (2, 31, 95, 94)
    (state.samples, state.tokens, state.evaluationsWithoutProgress) = (1 << 40, .max, 1)
    state.sums = LossSums(loss: 1 / 3, weight: 1e-300, correct: 0.1 + 0.2, count: 7)
    state.learningRate = 5e-5
    state.best = .init(loss: 2.0.nextDown, step: 64)
    state.seconds = 12.5
    return state
  }

  /// The state is equal to the last bit.
  @Test func comesBackFromJSON() throws {
    for state in [Self.state, TrainingState()] {
      let json = try JSONValue.parse(state.json.serialized(.indented(2)))
      #expect(try TrainingState(json: json, file: "f") == state)
    }
  }

  @Test func damaged() throws {
    guard case .object(let members) = Self.state.json else { return }
    for (index, member) in members.enumerated() {
      for value in [nil, JSONValue.string("x"), .number(-1.5)] {
        var other = members
        if let value { other[index].value = value } else { other.remove(at: index) }
        // These values may be negative or missing.
        let isFine =
          (value?.double != nil && ["learning_rate", "seconds"].contains(member.key))
          || (value == nil && member.key == "best")
        if isFine { continue }
        #expect(throws: TrainingCheckpointError.self, "\(member.key) \(String(describing: value))") {
          _ = try TrainingState(json: .object(other), file: "f")
        }
      }
    }
  }

  @Test func progress() {
    var state = TrainingState()
    func evaluation(_ loss: Double, masked: Int = 3) -> Evaluation {
      Evaluation(LossSums(loss: loss * Double(masked), weight: Double(masked), count: masked), tokens: 9, samples: 1)
    }
    for (step, loss, expected, count) in [
      (1, 2.0, 1, 0), (2, 2.0, 1, 1), (3, 1.5, 3, 0), (4, .nan, 3, 1), (5, 1.6, 3, 2),
    ] {
      state.step = step
      state.note(evaluation(loss))
      #expect(state.best?.step == expected && state.evaluationsWithoutProgress == count)
    }
    state.note(evaluation(0, masked: 0))
    #expect(state.best?.step == 3 && state.evaluationsWithoutProgress == 3)
  }
}
