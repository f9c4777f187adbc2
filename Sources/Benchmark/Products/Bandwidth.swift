import Glibc

/// Random floats in separately allocated memory, touched and aligned to pages.
final class Floats: @unchecked Sendable {
  let start: UnsafeMutablePointer<Float>
  let count: Int

  init(_ count: Int, seed: UInt64 = 1) {
    self.count = count
    let memory = UnsafeMutableRawPointer.allocate(byteCount: max(64, count * 4), alignment: 4096)
    start = memory.bindMemory(to: Float.self, capacity: max(16, count))
    var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    for index in 0..<count {
      // xorshift is fast and good enough to fill a matrix.
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      start[index] = Float(Int32(truncatingIfNeeded: state)) * 0x1p-36
    }
  }

  deinit { start.deallocate() }

  var bytes: Int { count * 4 }
}

/// The bandwidth of memory.
enum Bandwidth {
  private typealias Lanes = SIMD16<Float>

  /// GB/s of reading, with a separate part for each thread.
  static func read(threads: Int, megabytes: Int = 512, repetitions: Int = 5) -> Double {
    let memory = Floats(megabytes << 18)
    let times = (0..<repetitions).map { _ in
      seconds { onThreads(threads) { touch(memory, part: $0, of: threads) } }
    }
    return Double(memory.bytes) / (times.min() ?? .infinity) / 1e9
  }

  /// Reads a part of the memory.
  static func touch(_ memory: Floats, part: Int, of parts: Int) {
    touch(UnsafeRawBufferPointer(start: memory.start, count: memory.bytes), part: part, of: parts)
  }

  static func touch(_ memory: UnsafeRawBufferPointer, part: Int, of parts: Int) {
    let blocks = memory.count / 256
    let range = blocks * part / parts..<blocks * (part + 1) / parts
    guard let base = memory.baseAddress else { return }
    var (a, b, c, d) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
    for block in range {
      let at = base + block * 256
      a += at.loadUnaligned(as: Lanes.self)
      b += at.loadUnaligned(fromByteOffset: 64, as: Lanes.self)
      c += at.loadUnaligned(fromByteOffset: 128, as: Lanes.self)
      d += at.loadUnaligned(fromByteOffset: 192, as: Lanes.self)
    }
    sink((a + b + c + d).sum())
  }

  /// GB/s of a = b + s · c, with 12 bytes per element.
  static func triad(threads: Int, megabytes: Int = 256, repetitions: Int = 5) -> Double {
    let (a, b, c) = (Floats(megabytes << 18), Floats(megabytes << 18), Floats(megabytes << 18))
    let times = (0..<repetitions).map { _ in
      seconds {
        onThreads(threads) { thread in
          let blocks = a.count / 16
          let (x, y, z) = (UnsafeMutableRawPointer(a.start), UnsafeRawPointer(b.start), UnsafeRawPointer(c.start))
          for block in blocks * thread / threads..<blocks * (thread + 1) / threads {
            let at = block * 64
            let sum = y.load(fromByteOffset: at, as: Lanes.self) + z.load(fromByteOffset: at, as: Lanes.self) * 3
            x.storeBytes(of: sum, toByteOffset: at, as: Lanes.self)
          }
        }
      }
    }
    return 12 * Double(a.count) / (times.min() ?? .infinity) / 1e9
  }

  /// Seconds of one Adam update of a number of parameters, which reads four arrays and writes three.
  static func adam(_ memory: AdamMemory, threads: Int) {
    onThreads(threads) { thread in
      let blocks = memory.values.count / 16
      let (p, g) = (UnsafeMutableRawPointer(memory.values.start), UnsafeRawPointer(memory.gradients.start))
      let (m, v) = (UnsafeMutableRawPointer(memory.first.start), UnsafeMutableRawPointer(memory.second.start))
      for block in blocks * thread / threads..<blocks * (thread + 1) / threads {
        let at = block * 64
        let gradient = g.load(fromByteOffset: at, as: Lanes.self)
        let oldFirst = m.load(fromByteOffset: at, as: Lanes.self)
        let oldSecond = v.load(fromByteOffset: at, as: Lanes.self)
        let first = oldFirst + (gradient - oldFirst) * 0.1
        let second = oldSecond + (gradient * gradient - oldSecond) * 0.001
        let value = p.load(fromByteOffset: at, as: Lanes.self) - first * 1e-9 / (second.squareRoot() + 1e-7)
        m.storeBytes(of: first, toByteOffset: at, as: Lanes.self)
        v.storeBytes(of: second, toByteOffset: at, as: Lanes.self)
        p.storeBytes(of: value, toByteOffset: at, as: Lanes.self)
      }
    }
  }

  /// Prevents the compiler from removing computations whose results are not used.
  @inline(never) private static func sink(_ value: Float) { if value == 12345.678 { Words.note("\(value)") } }
}

/// Parameters with their gradients and Adam's moments.
final class AdamMemory: @unchecked Sendable {
  let values, gradients, first, second: Floats

  init(_ count: Int) {
    values = Floats(count, seed: 2)
    gradients = Floats(count, seed: 3)
    first = Floats(count, seed: 4)
    second = Floats(count, seed: 5)
    for index in 0..<count { second.start[index] = abs(second.start[index]) }
  }
}
