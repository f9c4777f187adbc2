import Glibc
import Tensor

/// A copy of the parameters as they were at the best evaluation (Keras: `EarlyStopping(restore_best_weights=True)`).
final class BestParameters {
  private let network: Network
  private var parameters: ParameterStore { network.parameters }
  private let copy: ZeroedMemory
  private var untrained: [Bool] = []
  private var step: Int?

  /// - Parameter network: one in training.
  init(_ network: Network) {
    self.network = network
    copy = ZeroedMemory(floats: network.parameters.blockSize)
  }

  /// Remembers the parameters as they are after that step.
  func keep(step: Int) {
    guard let values = parameters.valueBlock else { return }
    copy.floats.update(from: values, count: parameters.blockSize)
    untrained = parameters.untrained
    self.step = step
  }

  /// Remembers those of an earlier run.
  func keep(_ checkpoint: TrainingCheckpoint) throws {
    untrained = try checkpoint.copyParameters(of: network) { copy.floats + $0.offset }
    step = checkpoint.state.step
  }

  /// Makes the best parameters those of the model.
  func restore(for state: TrainingState) {
    guard let step, step == state.best?.step, step != state.step, let values = parameters.valueBlock else { return }
    values.update(from: copy.floats, count: parameters.blockSize)
    parameters.untrained = untrained
  }
}
