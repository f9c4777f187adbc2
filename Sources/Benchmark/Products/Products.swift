import CBLAS
import Model
import Synchronization
import Tensor

/// c = a·b by OpenBLAS on the calling thread; a: rows × inner, b: inner × columns, c: rows × columns, or transposed in
/// memory.
@inline(__always)
func product(
  _ rows: Int, _ columns: Int, _ inner: Int, _ a: UnsafePointer<Float>, _ aStride: Int, transposedA: Bool = false,
  _ b: UnsafePointer<Float>, _ bStride: Int, transposedB: Bool = false, _ c: UnsafeMutablePointer<Float>, _ cStride: Int
) {
  guard rows > 0, columns > 0, inner > 0 else { return }
  cblas_sgemm(
    CblasRowMajor, transposedA ? CblasTrans : CblasNoTrans, transposedB ? CblasTrans : CblasNoTrans, blasint(rows),
    blasint(columns), blasint(inner), 1, a, blasint(aStride), b, blasint(bStride), 0, c, blasint(cStride))
}

/// Only the matrix products of a model: the lower bound for the time of a forward pass or a training step with
/// OpenBLAS.
///
/// The factors are noise, and no product reads the result of another, so values neither grow nor vanish.
final class ModelProducts: @unchecked Sendable {
  let shape: Shape
  let threads: Int
  /// Per layer: query, key and value as one matrix, output, and the two feed-forward matrices; [out, in] as in the
  /// file.
  private let weights: [Floats]
  private let projection, transform: Floats
  private var rooms: [Room] = []

  /// The number of tokens that a thread computes at a time.
  static let chunk = 512

  init(_ shape: Shape, threads: Int) {
    _ = OpenBLAS.prepared
    self.shape = shape
    self.threads = threads
    weights = (0..<shape.layers).map { Floats(shape.layerWeights, seed: UInt64($0 + 10)) }
    projection = Floats(shape.vocabulary * shape.width, seed: 98)
    transform = Floats(shape.width * shape.width, seed: 99)
  }

  /// The activations that the products of a number of tokens read and write.
  private final class Room: @unchecked Sendable {
    let x, y, qkv, qkvOut, inner, innerOut, scores, heads, logits: Floats
    let tokens: Int

    init(_ shape: Shape, tokens: Int, longest: Int, masks: Int) {
      self.tokens = tokens
      x = Floats(tokens * shape.width)
      y = Floats(max(tokens, masks) * shape.width)
      qkv = Floats(tokens * 3 * shape.width)
      qkvOut = Floats(tokens * 3 * shape.width)
      inner = Floats(tokens * shape.inner)
      innerOut = Floats(tokens * shape.inner)
      scores = Floats(longest * longest)
      heads = Floats(longest * longest)
      logits = Floats(masks * shape.vocabulary)
    }
  }

  // MARK: Forward

  /// Each thread takes the next chunk of lines until none is left. If there are fewer chunks than threads, each thread
  /// computes a part of the outputs of all products.
  func forward(lengths: [Int], masks: [Int]) {
    let limit = max(lengths.max() ?? 1, min(Self.chunk, lengths.reduce(0, +) / threads))
    let chunks = Self.chunks(lengths, limit: limit)
    let isJoint = chunks.count < threads
    if rooms.count < threads {
      let tokens = chunks.map { lengths[$0].reduce(0, +) }.max() ?? 0
      let most = chunks.map { masks[$0].reduce(0, +) }.max() ?? 0
      rooms = (0..<threads).map { _ in
        Room(shape, tokens: tokens, longest: lengths.max() ?? 0, masks: max(1, most))
      }
    }
    let ticket = Ticket()
    onThreads(threads) { thread in
      func compute(_ chunk: Range<Int>, _ part: Part) {
        for layer in weights { encoderLayer(layer, lengths[chunk], rooms[thread], part) }
        head(masks[chunk].reduce(0, +), rooms[thread], part)
      }
      if isJoint {
        for chunk in chunks { compute(chunk, Part(index: thread, count: threads)) }
      } else {
        while case let index = ticket.take(), index < chunks.count { compute(chunks[index], .whole) }
      }
    }
  }

  /// A thread's share of the outputs of a product.
  private struct Part {
    let index, count: Int
    static let whole = Part(index: 0, count: 1)

    func of(_ outputs: Int) -> Range<Int> { outputs * index / count..<outputs * (index + 1) / count }
  }

  static func chunks(_ lengths: [Int], limit: Int) -> [Range<Int>] {
    var chunks: [Range<Int>] = []
    var (start, total) = (0, 0)
    for (index, length) in lengths.enumerated() {
      if index > start, total + length > limit {
        chunks.append(start..<index)
        (start, total) = (index, 0)
      }
      total += length
    }
    return start < lengths.count ? chunks + [start..<lengths.count] : chunks
  }

  /// Computes the products of some samples, or a share of their outputs.
  private func encoderLayer(_ layer: Floats, _ lengths: ArraySlice<Int>, _ room: Room, _ part: Part) {
    denseProducts(layer, rows: lengths.reduce(0, +), room, part)
    attention(lengths, room, part)
  }

  private func denseProducts(_ layer: Floats, rows: Int, _ room: Room, _ part: Part) {
    let (d, f) = (shape.width, shape.inner)
    let (q, o, up, down) = parts(layer)
    forwardProduct(rows, 3 * d, d, room.x, q, room.qkvOut, part)
    forwardProduct(rows, d, d, room.x, o, room.y, part)
    forwardProduct(rows, f, d, room.x, up, room.innerOut, part)
    forwardProduct(rows, d, f, room.inner, down, room.y, part)
  }

  /// Computes some columns of y = x·Wᵀ.
  private func forwardProduct(
    _ rows: Int, _ outputs: Int, _ inputs: Int, _ x: Floats, _ weights: UnsafeMutablePointer<Float>, _ y: Floats,
    _ part: Part
  ) {
    let columns = part.of(outputs)
    product(
      rows, columns.count, inputs, x.start, inputs, weights + columns.lowerBound * inputs, inputs, transposedB: true,
      y.start + columns.lowerBound, outputs)
  }

  private func parts(_ layer: Floats) -> (
    UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>
  ) {
    let (d, f) = (shape.width, shape.inner)
    return (layer.start, layer.start + 3 * d * d, layer.start + 4 * d * d, layer.start + 4 * d * d + d * f)
  }

  /// Computes the scores and contexts of every sample and head.
  private func attention(_ lengths: ArraySlice<Int>, _ room: Room, _ part: Part) {
    let (d, h) = (shape.width, shape.headWidth)
    var row = 0
    for length in lengths {
      let start = room.qkv.start + row * 3 * d
      for head in part.of(shape.heads) {
        let (q, k, v) = (start + head * h, start + d + head * h, start + 2 * d + head * h)
        product(length, length, h, q, 3 * d, k, 3 * d, transposedB: true, room.heads.start, length)
        product(length, h, length, room.scores.start, length, v, 3 * d, room.y.start + row * d + head * h, d)
      }
      row += length
    }
  }

  private func head(_ masks: Int, _ room: Room, _ part: Part) {
    let (d, v) = (shape.width, shape.vocabulary)
    forwardProduct(masks, d, d, room.x, transform.start, room.y, part)
    forwardProduct(masks, v, d, room.x, projection.start, room.logits, part)
  }

  // MARK: Training

  private var gradients: [Floats] = []
  private var projectionGradient, transformGradient: Floats?
  private var optimizer: AdamMemory?

  /// Computes the forward and backward products of one batch, and Adam's update of the parameters. Each thread has a
  /// share of the tokens in dense products, of the heads in attention, and of the rows of each weight gradient.
  func trainingStep(lengths: [Int], masks: [Int]) {
    let (d, f, v) = (shape.width, shape.inner, shape.vocabulary)
    let tokens = lengths.reduce(0, +)
    let masked = masks.reduce(0, +)
    prepareTraining(tokens: tokens, longest: lengths.max() ?? 0, masks: masked)
    guard let room = rooms.first, let projectionGradient, let transformGradient, let optimizer else { return }
    onThreads(threads) { thread in
      let own = rooms[thread + 1]
      let part = Part(index: thread, count: threads)
      let rows = part.of(tokens).count
      for layer in weights {
        denseProducts(layer, rows: rows, own, .whole)
        attention(lengths[...], own, part)
      }
      // The projection is split along the vocabulary, because there are few masked rows.
      let columns = part.of(v)
      let words = projection.start + columns.lowerBound * d
      let wordsGradient = projectionGradient.start + columns.lowerBound * d
      product(masked, d / threads, d, room.x.start, d, transform.start, d, transposedB: true, own.y.start, d)
      product(masked, columns.count, d, room.x.start, d, words, d, transposedB: true, own.logits.start, columns.count)
      product(masked, d, columns.count, own.logits.start, columns.count, words, d, own.y.start, d)
      product(
        columns.count, d, masked, own.logits.start, columns.count, transposedA: true, room.x.start, d, wordsGradient, d)
      product(masked, d / threads, d, room.x.start, d, transform.start, d, own.y.start, d)
      product(d / threads, d, masked, room.x.start, d, transposedA: true, room.x.start, d, transformGradient.start, d)
      for (layer, gradient) in zip(weights, gradients).reversed() {
        let (q, o, up, down) = parts(layer)
        let (dq, dO, dUp, dDown) = parts(gradient)
        // Input gradients: dY·W.
        product(rows, f, d, own.x.start, d, down, f, own.innerOut.start, f)
        product(rows, d, f, own.inner.start, f, up, d, own.y.start, d)
        product(rows, d, d, own.x.start, d, o, d, own.y.start, d)
        attentionBackward(lengths, own, part)
        product(rows, d, 3 * d, own.qkv.start, 3 * d, q, d, own.y.start, d)
        // Weight gradients: dYᵀ·X over all tokens.
        weightGradient(d, f, tokens, room.x, room.inner, dDown, thread)
        weightGradient(f, d, tokens, room.inner, room.x, dUp, thread)
        weightGradient(d, d, tokens, room.x, room.y, dO, thread)
        weightGradient(3 * d, d, tokens, room.qkv, room.x, dq, thread)
      }
    }
    Bandwidth.adam(optimizer, threads: threads)
  }

  /// Computes this thread's rows of an outputs × inputs gradient.
  private func weightGradient(
    _ outputs: Int, _ inputs: Int, _ tokens: Int, _ dy: Floats, _ x: Floats, _ gradient: UnsafeMutablePointer<Float>,
    _ thread: Int
  ) {
    let rows = outputs * thread / threads..<outputs * (thread + 1) / threads
    product(
      rows.count, inputs, tokens, dy.start + rows.lowerBound, outputs, transposedA: true, x.start, inputs,
      gradient + rows.lowerBound * inputs, inputs)
  }

  private func attentionBackward(_ lengths: [Int], _ room: Room, _ part: Part) {
    let (d, h) = (shape.width, shape.headWidth)
    var row = 0
    for length in lengths {
      let start = room.qkv.start + row * 3 * d
      let out = room.qkvOut.start + row * 3 * d
      let dContext = room.x.start + row * d
      let s = room.scores.start
      for head in part.of(shape.heads) {
        let (q, k, v) = (start + head * h, start + d + head * h, start + 2 * d + head * h)
        let (dq, dk, dv) = (out + head * h, out + d + head * h, out + 2 * d + head * h)
        product(length, h, length, s, length, transposedA: true, dContext + head * h, d, dv, 3 * d)
        product(length, length, h, dContext + head * h, d, v, 3 * d, transposedB: true, room.heads.start, length)
        product(length, h, length, s, length, k, 3 * d, dq, 3 * d)
        product(length, h, length, s, length, transposedA: true, q, 3 * d, dk, 3 * d)
      }
      row += length
    }
  }

  private func prepareTraining(tokens: Int, longest: Int, masks: Int) {
    if optimizer == nil {
      gradients = weights.map { Floats($0.count) }
      projectionGradient = Floats(projection.count)
      transformGradient = Floats(transform.count)
      optimizer = AdamMemory(weights.reduce(projection.count + transform.count) { $0 + $1.count })
    }
    // The first is for the whole batch, the others for one thread each.
    if rooms.first.map({ $0.tokens < tokens || $0.scores.count < longest * longest }) ?? true {
      rooms = (0...threads).map { _ in Room(shape, tokens: tokens + longest, longest: longest, masks: masks * 2) }
    }
  }
}
