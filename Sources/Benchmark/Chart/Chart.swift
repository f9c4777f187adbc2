import Charts
import Glibc

/// Lines over a logarithmic x axis, drawn as one panel of an image.
struct Chart {
  struct Line {
    var name: String
    var style: Style
    var points: [(x: Double, y: Double)]
  }

  enum Style { case first, second, limit }

  var title: String
  var xTitle: String
  var yTitle: String
  var lines: [Line]

  /// The x values of all points.
  var ticks: [Double] { Set(lines.flatMap { $0.points.map(\.x) }).sorted() }

  /// From 0 to a round number above the largest y.
  var yAxis: Axis { Axis(from: 0, to: max(lines.flatMap { $0.points.map(\.y) }.max() ?? 1, 1e-9), intervals: 5) }
}

/// A grid of charts as an SVG file without external fonts, styles or scripts.
struct Picture {
  let title: String
  let subtitle: String
  /// Indexed by [row][column].
  let charts: [[Chart]]

  private let width = 460.0
  private let height = 300.0
  private let margin = (left: 62.0, right: 18.0, top: 52.0, bottom: 46.0)
  private let head = 58.0

  func svg() -> String {
    let columns = charts.map(\.count).max() ?? 1
    let size = (width: Double(columns) * width, height: head + Double(charts.count) * height)
    var out =
      SVG.text(title, size.width / 2, 24, "font-size=\"16\" font-weight=\"bold\" text-anchor=\"middle\"")
      + SVG.text(subtitle, size.width / 2, 43, "fill=\"#555\" text-anchor=\"middle\"")
    for (row, charts) in charts.enumerated() {
      for (column, chart) in charts.enumerated() {
        let origin = (x: SVG.number(Double(column) * width), y: SVG.number(head + Double(row) * height))
        out += "<g transform=\"translate(\(origin.x) \(origin.y))\">\n" + panel(chart) + "</g>\n"
      }
    }
    return SVG.document(width: size.width, height: size.height, out)
  }

  private func panel(_ chart: Chart) -> String {
    let (left, right) = (margin.left, width - margin.right)
    let (top, bottom) = (margin.top, height - margin.bottom)
    let xs = chart.ticks
    let axis = chart.yAxis
    guard let firstX = xs.first, let lastX = xs.last else { return "" }
    func x(_ value: Double) -> Double {
      lastX > firstX ? left + 8 + (right - left - 16) * log(value / firstX) / log(lastX / firstX) : (left + right) / 2
    }
    func y(_ value: Double) -> Double { bottom - (bottom - top) * axis.place(value) }

    var out = SVG.text(chart.title, left, 20, "font-size=\"13\" font-weight=\"bold\"")
    for tick in axis.ticks {
      out += SVG.line(left, y(tick.value), right, y(tick.value), "stroke=\"\(tick.value == 0 ? "#444" : "#e2e2e2")\"")
      out += SVG.text(tick.label, left - 6, y(tick.value) + 4, "text-anchor=\"end\"")
    }
    for tick in xs {
      out += SVG.line(x(tick), bottom, x(tick), bottom + 4, "stroke=\"#444\"")
      out += SVG.text(SVG.number(tick), x(tick), bottom + 16, "text-anchor=\"middle\"")
    }
    out += SVG.text(chart.xTitle, (left + right) / 2, bottom + 34, "text-anchor=\"middle\" fill=\"#555\"")
    let middle = (top + bottom) / 2
    out += SVG.text(
      chart.yTitle, 14, middle,
      "text-anchor=\"middle\" fill=\"#555\" transform=\"rotate(-90 14 \(SVG.number(middle)))\"")
    for series in chart.lines {
      let points = series.points.map { (x: x($0.x), y: y($0.y)) }
      out += SVG.polyline(points, "stroke-width=\"2\" " + stroke(series.style))
      for point in points { out += SVG.circle(point.x, point.y, radius: 3, fill: color(series.style)) }
    }
    // The legend is between the title and the lines.
    var at = left
    for series in chart.lines {
      out += SVG.line(at, 35, at + 20, 35, stroke(series.style) + " stroke-width=\"2\"")
      out += SVG.text(series.name, at + 26, 39)
      at += 50 + 6.2 * Double(series.name.count)
    }
    return out
  }

  private func color(_ style: Chart.Style) -> String {
    switch style {
    case .first: "#1f5fa8"
    case .second: "#d9730d"
    case .limit: "#888"
    }
  }

  private func stroke(_ style: Chart.Style) -> String {
    "stroke=\"\(color(style))\"" + (style == .limit ? " stroke-dasharray=\"5 4\"" : "")
  }
}
