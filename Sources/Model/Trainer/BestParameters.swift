import Glibc
import Tensor

/// A copy of the parameters of the best evaluation (Keras: `EarlyStopping(restore_best_weights=True)`).
final class BestParameters {
  private let network: Network
  private var parameters: ParameterStore { network.parameters }
  private let copy: ZeroedMemory
  private var untrained: [Bool] = []
  private var step: Int?

  /// - Parameter network: a network in training.
  init(_ network: Network) {
    self.network = network
    copy = ZeroedMemory(floats: network.parameters.blockSize)
  }

  /// Copies the current parameters, which are those after the given step.
  func keep(step: Int) {
    guard let values = parameters.valueBlock else { return }
    copy.floats.update(from: values, count: parameters.blockSize)
    untrained = parameters.untrained
    self.step = step
  }

  /// Copies the parameters of an earlier run.
  func keep(_ checkpoint: TrainingCheckpoint) throws {
    untrained = try checkpoint.copyParameters(of: network) { copy.floats + $0.offset }
    step = checkpoint.state.step
  }

  /// Restores the best parameters in the model.
  func restore(for state: TrainingState) {
    guard let step, step == state.best?.step, step != state.step, let values = parameters.valueBlock else { return }
    values.update(from: copy.floats, count: parameters.blockSize)
    parameters.untrained = untrained
  }
}
