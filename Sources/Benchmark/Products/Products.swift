import CBLAS
import Synchronization

/// c = a·b by OpenBLAS on the calling thread; a: rows × inner, b: inner × columns, c: rows × columns, or transposed in memory.
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

/// The matrix products of a model, and nothing else: what a forward pass or a training step cannot be faster than with OpenBLAS.
///
/// The factors hold noise and no product reads another's result, so values neither grow nor vanish.
final class ModelProducts: @unchecked Sendable {
  let shape: Shape
  let threads: Int
  /// Per layer: query, key and value as one, output, and the two of the feed-forward; [out, in] as in the file.
  private let weights: [Floats]
  private let projection, transform: Floats
  private var rooms: [Room] = []

  /// Tokens that a thread computes at a time.
  static let chunk = 512

  init(_ shape: Shape, threads: Int) {
    openblas_set_num_threads(1)
    self.shape = shape
    self.threads = threads
    weights = (0..<shape.layers).map { Floats(shape.layerWeights, seed: UInt64($0 + 10)) }
    projection = Floats(shape.vocabulary * shape.width, seed: 98)
    transform = Floats(shape.width * shape.width, seed: 99)
  }

  /// The activations that the products of some tokens read and write.
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

  /// Every thread takes the next chunk of lines until there is none.
  func forward(lengths: [Int], masks: [Int]) {
    let chunks = Self.chunks(lengths)
    if rooms.count < threads {
      let tokens = chunks.map { lengths[$0].reduce(0, +) }.max() ?? 0
      let most = chunks.map { masks[$0].reduce(0, +) }.max() ?? 0
      rooms = (0..<threads).map { _ in
        Room(shape, tokens: tokens, longest: lengths.max() ?? 0, masks: max(1, most))
      }
    }
    let ticket = Ticket()
    onThreads(threads) { thread in
      while case let index = ticket.take(), index < chunks.count {
        let chunk = chunks[index]
        for layer in weights { encoderLayer(layer, lengths[chunk], rooms[thread]) }
        head(masks[chunk].reduce(0, +), rooms[thread])
      }
    }
  }

  static func chunks(_ lengths: [Int]) -> [Range<Int>] {
    var chunks: [Range<Int>] = []
    var (start, total) = (0, 0)
    for (index, length) in lengths.enumerated() {
      if index > start, total + length > chunk {
        chunks.append(start..<index)
        (start, total) = (index, 0)
      }
      total += length
    }
    return start < lengths.count ? chunks + [start..<lengths.count] : chunks
  }

  private func encoderLayer(_ layer: Floats, _ lengths: ArraySlice<Int>, _ room: Room) {
    let (d, f) = (shape.width, shape.inner)
    let tokens = lengths.reduce(0, +)
    let (q, o, up, down) = parts(layer)
    product(tokens, 3 * d, d, room.x.start, d, q, d, transposedB: true, room.qkvOut.start, 3 * d)
    attention(lengths, room)
    product(tokens, d, d, room.x.start, d, o, d, transposedB: true, room.y.start, d)
    product(tokens, f, d, room.x.start, d, up, d, transposedB: true, room.innerOut.start, f)
    product(tokens, d, f, room.inner.start, f, down, f, transposedB: true, room.y.start, d)
  }

  private func parts(_ layer: Floats) -> (
    UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>
  ) {
    let (d, f) = (shape.width, shape.inner)
    return (layer.start, layer.start + 3 * d * d, layer.start + 4 * d * d, layer.start + 4 * d * d + d * f)
  }

  /// Scores and contexts of every sample and head.
  private func attention(_ lengths: ArraySlice<Int>, _ room: Room) {
    let (d, h) = (shape.width, shape.headWidth)
    var row = 0
    for length in lengths {
      let start = room.qkv.start + row * 3 * d
      for head in 0..<shape.heads {
        let (q, k, v) = (start + head * h, start + d + head * h, start + 2 * d + head * h)
        product(length, length, h, q, 3 * d, k, 3 * d, transposedB: true, room.heads.start, length)
        product(length, h, length, room.scores.start, length, v, 3 * d, room.y.start + row * d + head * h, d)
      }
      row += length
    }
  }

  private func head(_ masks: Int, _ room: Room) {
    let (d, v) = (shape.width, shape.vocabulary)
    product(masks, d, d, room.x.start, d, transform.start, d, transposedB: true, room.y.start, d)
    product(masks, v, d, room.x.start, d, projection.start, d, transposedB: true, room.logits.start, v)
  }

  // MARK: Training

  private var gradients: [Floats] = []
  private var projectionGradient, transformGradient: Floats?
  private var optimizer: AdamMemory?

  /// The products of forward and backward of one batch, and Adam's sweep over the parameters. Each thread has half of the
  /// samples in all products over tokens, and half of the rows of each weight gradient.
  func trainingStep(lengths: [Int], masks: [Int]) {
    let (d, f, v) = (shape.width, shape.inner, shape.vocabulary)
    let tokens = lengths.reduce(0, +)
    let masked = masks.reduce(0, +)
    let shares = Self.shares(lengths, threads)
    prepareTraining(tokens: tokens, longest: lengths.max() ?? 0, masks: masked)
    guard let room = rooms.first, let projectionGradient, let transformGradient, let optimizer else { return }
    onThreads(threads) { thread in
      let own = rooms[thread + 1]
      let share = lengths[shares[thread]]
      let rows = share.reduce(0, +)
      for layer in weights { encoderLayer(layer, share, own) }
      // The projection is cut along the vocabulary, as the masked rows are few.
      let columns = v * thread / threads..<v * (thread + 1) / threads
      let part = projection.start + columns.lowerBound * d
      let partGradient = projectionGradient.start + columns.lowerBound * d
      product(masked, d / threads, d, room.x.start, d, transform.start, d, transposedB: true, own.y.start, d)
      product(masked, columns.count, d, room.x.start, d, part, d, transposedB: true, own.logits.start, columns.count)
      product(masked, d, columns.count, own.logits.start, columns.count, part, d, own.y.start, d)
      product(
        columns.count, d, masked, own.logits.start, columns.count, transposedA: true, room.x.start, d, partGradient, d)
      product(masked, d / threads, d, room.x.start, d, transform.start, d, own.y.start, d)
      product(d / threads, d, masked, room.x.start, d, transposedA: true, room.x.start, d, transformGradient.start, d)
      for (layer, gradient) in zip(weights, gradients).reversed() {
        let (q, o, up, down) = parts(layer)
        let (dq, dO, dUp, dDown) = parts(gradient)
        // Input gradients: dY·W.
        product(rows, f, d, own.x.start, d, down, f, own.innerOut.start, f)
        product(rows, d, f, own.inner.start, f, up, d, own.y.start, d)
        product(rows, d, d, own.x.start, d, o, d, own.y.start, d)
        attentionBackward(share, own)
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

  /// This thread's rows of an outputs × inputs gradient.
  private func weightGradient(
    _ outputs: Int, _ inputs: Int, _ tokens: Int, _ dy: Floats, _ x: Floats, _ gradient: UnsafeMutablePointer<Float>,
    _ thread: Int
  ) {
    let rows = outputs * thread / threads..<outputs * (thread + 1) / threads
    product(
      rows.count, inputs, tokens, dy.start + rows.lowerBound, outputs, transposedA: true, x.start, inputs,
      gradient + rows.lowerBound * inputs, inputs)
  }

  private func attentionBackward(_ lengths: ArraySlice<Int>, _ room: Room) {
    let (d, h) = (shape.width, shape.headWidth)
    var row = 0
    for length in lengths {
      let start = room.qkv.start + row * 3 * d
      let out = room.qkvOut.start + row * 3 * d
      let dContext = room.x.start + row * d
      let s = room.scores.start
      for head in 0..<shape.heads {
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
    // The first is the whole batch's, the others each thread's.
    if rooms.first.map({ $0.tokens < tokens || $0.scores.count < longest * longest }) ?? true {
      rooms = (0...threads).map { _ in Room(shape, tokens: tokens + longest, longest: longest, masks: masks * 2) }
    }
  }

  /// One run of samples a thread, of about as many tokens each.
  static func shares(_ lengths: [Int], _ threads: Int) -> [Range<Int>] {
    let total = lengths.reduce(0, +)
    var ends: [Int] = []
    var sum = 0
    for (index, length) in lengths.enumerated() {
      // The sample goes to this thread if most of it does.
      while ends.count < threads - 1, (sum + length / 2) * threads >= total * (ends.count + 1) { ends.append(index) }
      sum += length
    }
    while ends.count < threads { ends.append(lengths.count) }
    return ends.indices.map { ($0 == 0 ? 0 : ends[$0 - 1])..<ends[$0] }
  }
}
