/// Two dense layers with an activation between them.
///
///     h = x·W1ᵀ + b1     g = gelu(h)     y = g·W2ᵀ + b2
struct FeedForward {
  let first, second: Dense
  let activation: ActivationFunction

  struct Memory { let x, h, g: Matrix }

  func forward(_ x: Matrix, into y: Matrix, _ context: Context) -> Memory {
    let width = first.bias.count
    let memory = Memory(x: x, h: context.matrix(x.rows, width), g: context.matrix(x.rows, width))
    first.forward(x, into: memory.h, context)
    activation.forward(memory.h, into: memory.g, context)
    second.forward(memory.g, into: y, context)
    return memory
  }

  func backward(_ dy: Matrix, _ memory: Memory, into dx: Matrix, _ context: Context) {
    context.temporary {
      let dh = context.matrix(memory.h.rows, memory.h.columns)
      second.backward(dy, x: memory.g, into: dh, context)
      activation.backward(dh, x: memory.h, into: dh, context)
      first.backward(dh, x: memory.x, into: dx, context)
    }
  }
}
