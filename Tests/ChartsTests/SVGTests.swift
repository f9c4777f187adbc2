import Testing

@testable import Charts

/// Tests elements of an image, and lines with many points.
@Suite struct SVGTests {
  @Test func textIsEscaped() {
    let element = SVG.text("a<b> & \"c\"\n\u{1}\u{1F600}", 1, 2.25)
    #expect(element == "<text x=\"1\" y=\"2.3\">a&lt;b&gt; &amp; &quot;c&quot; \u{FFFD}\u{1F600}</text>\n")
  }

  @Test func numbers() {
    #expect(
      [0, 1, -1, 0.04, -0.04, 0.06, -0.06, 12.34, -12.36, 1e8].map(SVG.number) == [
        "0", "1", "-1", "0", "0", "0.1", "-0.1", "12.3", "-12.4", "100000000",
      ])
    #expect([Double.nan, .infinity, -.infinity, 1e300].map(SVG.number) == ["0", "0", "0", "0"])
  }

  @Test func fewPointsStay() {
    let points = (0..<1000).map { (x: Double($0), y: Double($0 * 7 % 13)) }
    #expect(Thinning.thinned(points).count == 1000)
    #expect(Thinning.thinned([]).isEmpty)
  }

  @Test(arguments: [1001, 1500, 2000, 12_345]) func peaksStay(_ count: Int) {
    var points = (0..<count).map { (x: Double($0), y: Double($0 * 7 % 13)) }
    points[count / 3].y = 100
    points[count / 2].y = -100
    let thinned = Thinning.thinned(points)
    #expect(thinned.count <= 1000 && thinned.count > 500)
    #expect(thinned.first?.x == 0 && thinned.last?.x == Double(count - 1))
    #expect(thinned.contains { $0.y == 100 } && thinned.contains { $0.y == -100 })
    #expect(zip(thinned, thinned.dropFirst()).allSatisfy { $0.x < $1.x })
  }

  @Test func linesAreBrokenWhereThereIsNoNumber() {
    let points: [Thinning.Point] = [(0, .nan), (1, 1), (2, 2), (3, .infinity), (4, .nan), (5, 5), (6, -.infinity)]
    #expect(Thinning.stretches(points).map { $0.map(\.x) } == [[1, 2], [5]])
  }
}
