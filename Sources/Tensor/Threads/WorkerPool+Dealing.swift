/// Work whose results do not depend on who does it, and whose parts are large enough to be taken one by one.
extension WorkerPool {
  /// Deals 0 ..< count out in ranges that begin at multiples of `unit`.
  ///
  /// Where `sharesRest`, each worker has only the greater part of its share from the start, and the last quarter of all is taken unit by
  /// unit by whoever is free: they end together though something else slows one of them down. Else it is `split`.
  func deal(_ count: Int, unit: Int, sharesRest: Bool, _ body: (_ worker: Int, _ hand: inout Hand) -> Void) {
    let rest = startOfRest(count, unit: unit, sharesRest)..<count
    if !rest.isEmpty { counter.reset() }
    func deal(to worker: Int) {
      var hand = Hand(
        first: first(of: count, unit: unit, sharesRest: sharesRest, worker: worker), rest: rest, unit: unit, counter)
      if hand.next != nil { body(worker, &hand) }
    }
    if min(threads, (count + unit - 1) / unit) > 1 { run { deal(to: $0) } } else { deal(to: 0) }
  }

  /// What `deal` gives to a worker from the start; nil where that is nothing.
  package func first(of count: Int, unit: Int, sharesRest: Bool, worker: Int) -> Range<Int>? {
    part(of: startOfRest(count, unit: unit, sharesRest), alignment: unit, worker: worker)
  }

  /// As many units for each worker lie before the rest.
  private func startOfRest(_ count: Int, unit: Int, _ sharesRest: Bool) -> Int {
    let units = (count + unit - 1) / unit
    return sharesRest && threads > 1 && units > 1 ? units * 3 / 4 / threads * threads * unit : count
  }

  /// A worker's ranges in `deal`, one after the other. The one after is known beforehand, so that it can be fetched.
  struct Hand {
    private(set) var next: Range<Int>?
    private let rest: Range<Int>
    private let unit: Int
    private let counter: Counter

    fileprivate init(first: Range<Int>?, rest: Range<Int>, unit: Int, _ counter: Counter) {
      (self.rest, self.unit, self.counter) = (rest, unit, counter)
      next = first
      if first == nil { draw() }
    }

    mutating func take() -> Range<Int>? {
      defer { if next != nil { draw() } }
      return next
    }

    private mutating func draw() {
      let start = rest.isEmpty ? rest.upperBound : rest.lowerBound + counter.take() * unit
      next = start < rest.upperBound ? start..<min(rest.upperBound, start + unit) : nil
    }
  }
}
