import Model
import Text

/// Computes only the matrix products of the same work: the limit.
final class ProductsWork: Work {
  private let products: ModelProducts
  private let kind: Worker.Kind
  private let lengths: [Int]
  private let masks: [Int]
  private let batchSize: Int
  private var steps = 0

  init(_ settings: Worker.Settings) throws {
    kind = settings.kind
    batchSize = settings.batchSize
    // Only the configuration is used; the weights are not read.
    let model = try DistilBertMaskedLM.fromPreset(settings.model, preprocessor: nil, threads: 1, hub: .offline)
    let samples = try settings.loadSamples(model.configuration)
    lengths = samples.map(\.tokenIDs.count)
    masks = samples.map(\.maskPositions.count)
    products = ModelProducts(Shape(name: "model", model.configuration), threads: settings.threads)
  }

  func check() throws -> JSONValue? {
    _ = try round()
    steps = 0
    return nil
  }

  func round() throws -> Round {
    switch kind {
    case .productsFit:
      let start = steps * batchSize % lengths.count
      let batch = start..<min(lengths.count, start + batchSize)
      steps += 1
      let (lengths, masks) = (Array(lengths[batch]), Array(masks[batch]))
      return Round(
        seconds: seconds { products.trainingStep(lengths: lengths, masks: masks) }, tokens: lengths.reduce(0, +))
    case .productsLatency:
      let times = (0..<20).map { _ in seconds { products.forward(lengths: lengths, masks: masks) } }
      return Round(seconds: times.median, tokens: lengths.reduce(0, +))
    default:
      return Round(seconds: seconds { products.forward(lengths: lengths, masks: masks) }, tokens: lengths.reduce(0, +))
    }
  }
}
