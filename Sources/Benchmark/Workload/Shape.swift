import Model

/// The sizes of a model, and the operations of its reference forward pass: every layer on every token, the head on
/// masked rows.
struct Shape {
  let name: String
  let width: Int
  let layers: Int
  let heads: Int
  let inner: Int
  let vocabulary: Int

  static let base = Shape(name: "base", width: 768, layers: 6, heads: 12, inner: 3072, vocabulary: 30522)
  static let small = Shape(name: "small", width: 256, layers: 4, heads: 4, inner: 1024, vocabulary: 8192)

  init(name: String, width: Int, layers: Int, heads: Int, inner: Int, vocabulary: Int) {
    self.name = name
    self.width = width
    self.layers = layers
    self.heads = heads
    self.inner = inner
    self.vocabulary = vocabulary
  }

  init(name: String, _ configuration: Configuration) {
    self.init(
      name: name, width: configuration.hiddenDim, layers: configuration.numLayers, heads: configuration.numHeads,
      inner: configuration.intermediateDim, vocabulary: configuration.vocabularySize)
  }

  var headWidth: Int { width / heads }
  /// The number of weights in one encoder layer's products.
  var layerWeights: Int { 4 * width * width + 2 * width * inner }

  /// The size of the weights of all products, each of which a prediction reads once. In int8, the head and the last
  /// layer's weights for masked rows (all but those of keys and values) are bfloat16.
  func weightBytes(_ precision: Precision) -> Int {
    let (encoder, head) = (layers * layerWeights, width * (width + vocabulary))
    return switch precision {
    case .float32: 4 * (encoder + head)
    case .bfloat16: 2 * (encoder + head)
    case .int8: encoder + (layerWeights - 2 * width * width) + 2 * head
    }
  }

  var configuration: Configuration {
    Configuration(
      vocabularySize: vocabulary, hiddenDim: width, numLayers: layers, numHeads: heads, intermediateDim: inner)
  }

  /// Floating-point operations of the products of a forward pass.
  func forwardOperations(lengths: [Int], masks: Int) -> Double {
    let tokens = Double(lengths.reduce(0, +))
    let pairs = lengths.reduce(0.0) { $0 + Double($1) * Double($1) }
    let encoder = Double(layers) * (2 * tokens * Double(layerWeights) + 4 * pairs * Double(width))
    return encoder + 2 * Double(masks) * Double(width * width + width * vocabulary)
  }

  /// The same including the backward pass, which has two products for each one of the forward pass.
  func trainingOperations(lengths: [Int], masks: Int) -> Double {
    3 * forwardOperations(lengths: lengths, masks: masks)
  }
}
