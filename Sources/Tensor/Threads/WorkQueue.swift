/// Work stealing, for results that do not depend on the worker, in parts large enough to be taken one by one.
extension WorkerPool {
  /// Distributes 0 ..< count in ranges that begin at multiples of `unit`.
  ///
  /// With stealing, each worker first gets three quarters of its share, and idle workers steal the last quarter of the
  /// total unit by unit, so that they end together even if other load slows one of them down. Without stealing, it
  /// equals `split`.
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

  /// The first range that `distribute` gives to a worker; nil if it gets none.
  func initialShare(of count: Int, unit: Int, allowsStealing: Bool, worker: Int) -> Range<Int>? {
    part(of: startOfRest(count, unit: unit, allowsStealing), alignment: unit, worker: worker)
  }

  /// The start of the range that is stolen. Before it, every worker has the same number of units.
  private func startOfRest(_ count: Int, unit: Int, _ allowsStealing: Bool) -> Int {
    let units = (count + unit - 1) / unit
    return allowsStealing && threads > 1 && units > 1 ? units * 3 / 4 / threads * threads * unit : count
  }

  /// The sequence of a worker's ranges in `distribute`. The next range is known in advance, so that its data can be
  /// prefetched.
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
