/// Work whose results do not depend on who does it, in parts large enough to be taken one by one.
extension WorkerPool {
  /// Distributes 0 ..< count in ranges that begin at multiples of `unit`.
  ///
  /// With stealing, each worker gets only the greater part of its share at first, and idle workers steal the last quarter
  /// of all unit by unit: they end together even if something else slows one of them down. Without, it is `split`.
  func distribute(
    _ count: Int, unit: Int, allowsStealing: Bool, _ body: (_ worker: Int, _ queue: inout WorkQueue) -> Void
  ) {
    let rest = startOfRest(count, unit: unit, allowsStealing)..<count
    if !rest.isEmpty { counter.reset() }
    func start(_ worker: Int) {
      let share = initialShare(of: count, unit: unit, allowsStealing: allowsStealing, worker: worker)
      var queue = WorkQueue(share: share, rest: rest, unit: unit, counter)
      if queue.next != nil { body(worker, &queue) }
    }
    if min(threads, (count + unit - 1) / unit) > 1 { run { start($0) } } else { start(0) }
  }

  /// The range that `distribute` gives to a worker at first; nil if it gets none.
  func initialShare(of count: Int, unit: Int, allowsStealing: Bool, worker: Int) -> Range<Int>? {
    part(of: startOfRest(count, unit: unit, allowsStealing), alignment: unit, worker: worker)
  }

  /// The start of what is stolen. Before it, every worker has the same number of units.
  private func startOfRest(_ count: Int, unit: Int, _ allowsStealing: Bool) -> Int {
    let units = (count + unit - 1) / unit
    return allowsStealing && threads > 1 && units > 1 ? units * 3 / 4 / threads * threads * unit : count
  }

  /// The ranges of a worker in `distribute`, one after the other. The next one is known in advance, to prefetch its data.
  struct WorkQueue {
    private(set) var next: Range<Int>?
    private let rest: Range<Int>
    private let unit: Int
    private let counter: Counter

    fileprivate init(share: Range<Int>?, rest: Range<Int>, unit: Int, _ counter: Counter) {
      (self.rest, self.unit, self.counter) = (rest, unit, counter)
      next = share
      if share == nil { steal() }
    }

    mutating func take() -> Range<Int>? {
      defer { if next != nil { steal() } }
      return next
    }

    private mutating func steal() {
      let start = rest.isEmpty ? rest.upperBound : rest.lowerBound + counter.take() * unit
      next = start < rest.upperBound ? start..<min(rest.upperBound, start + unit) : nil
    }
  }
}
