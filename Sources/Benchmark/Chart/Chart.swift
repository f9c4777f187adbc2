import Glibc

/// Lines over a logarithmic x, drawn as one panel of a picture.
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

  /// Every x that a point has.
  var ticks: [Double] { Set(lines.flatMap { $0.points.map(\.x) }).sorted() }

  /// Round numbers from 0 to beyond the largest y.
  var yTicks: [Double] {
    let most = max(lines.flatMap { $0.points.map(\.y) }.max() ?? 1, 1e-9)
    let power = pow(10, log10(most / 4).rounded(.down))
    let step = [1.0, 2, 2.5, 5, 10].map { $0 * power }.first { $0 * 5 >= most } ?? 10 * power
    return (0...Int((most / step).rounded(.up))).map { Double($0) * step }
  }
}

/// Charts beside and below each other as an SVG file: no fonts, styles or scripts from elsewhere.
struct Picture {
  let title: String
  let subtitle: String
  /// [row][column]
  let charts: [[Chart]]

  private let width = 460.0
  private let height = 300.0
  private let margin = (left: 62.0, right: 18.0, top: 52.0, bottom: 46.0)
  private let head = 58.0

  func svg() -> String {
    let columns = charts.map(\.count).max() ?? 1
    let size = (width: Double(columns) * width, height: head + Double(charts.count) * height)
    var out = """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(plain(size.width)) \(plain(size.height))" \
      width="\(plain(size.width))" height="\(plain(size.height))" font-family="sans-serif" font-size="11" fill="#222">
      <rect width="100%" height="100%" fill="#fff"/>
      \(text(title, size.width / 2, 24, "font-size=\"16\" font-weight=\"bold\" text-anchor=\"middle\""))
      \(text(subtitle, size.width / 2, 43, "fill=\"#555\" text-anchor=\"middle\""))

      """
    for (row, charts) in charts.enumerated() {
      for (column, chart) in charts.enumerated() {
        let place = (x: Double(column) * width, y: head + Double(row) * height)
        out += "<g transform=\"translate(\(plain(place.x)) \(plain(place.y)))\">\n" + panel(chart) + "</g>\n"
      }
    }
    return out + "</svg>\n"
  }

  private func panel(_ chart: Chart) -> String {
    let (left, right) = (margin.left, width - margin.right)
    let (top, bottom) = (margin.top, height - margin.bottom)
    let xs = chart.ticks
    let ys = chart.yTicks
    guard let firstX = xs.first, let lastX = xs.last, let most = ys.last else { return "" }
    func x(_ value: Double) -> Double {
      lastX > firstX ? left + 8 + (right - left - 16) * log(value / firstX) / log(lastX / firstX) : (left + right) / 2
    }
    func y(_ value: Double) -> Double { bottom - (bottom - top) * value / most }

    var out = text(chart.title, left, 20, "font-size=\"13\" font-weight=\"bold\"") + "\n"
    for tick in ys {
      out += line(left, y(tick), right, y(tick), "stroke=\"\(tick == 0 ? "#444" : "#e2e2e2")\"")
      out += text(tickLabel(tick), left - 6, y(tick) + 4, "text-anchor=\"end\"") + "\n"
    }
    for tick in xs {
      out += line(x(tick), bottom, x(tick), bottom + 4, "stroke=\"#444\"")
      out += text(plain(tick), x(tick), bottom + 16, "text-anchor=\"middle\"") + "\n"
    }
    out += text(chart.xTitle, (left + right) / 2, bottom + 34, "text-anchor=\"middle\" fill=\"#555\"") + "\n"
    let middle = (top + bottom) / 2
    out +=
      text(
        chart.yTitle, 14, middle,
        "text-anchor=\"middle\" fill=\"#555\" transform=\"rotate(-90 14 \(plain(middle)))\"") + "\n"
    for series in chart.lines {
      let points = series.points.map { "\(plain(x($0.x))),\(plain(y($0.y)))" }.joined(separator: " ")
      out += "<polyline fill=\"none\" stroke-width=\"2\" \(stroke(series.style)) points=\"\(points)\"/>\n"
      for point in series.points {
        out +=
          "<circle cx=\"\(plain(x(point.x)))\" cy=\"\(plain(y(point.y)))\" r=\"3\" fill=\"\(color(series.style))\"/>\n"
      }
    }
    // The legend stands between the title and the lines.
    var at = left
    for series in chart.lines {
      out += line(at, 35, at + 20, 35, stroke(series.style) + " stroke-width=\"2\"")
      out += text(series.name, at + 26, 39, "") + "\n"
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

  private func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ style: String) -> String {
    "<line x1=\"\(plain(x1))\" y1=\"\(plain(y1))\" x2=\"\(plain(x2))\" y2=\"\(plain(y2))\" \(style)/>\n"
  }

  private func text(_ text: String, _ x: Double, _ y: Double, _ attributes: String) -> String {
    let escaped = text.map { $0 == "&" ? "&amp;" : $0 == "<" ? "&lt;" : String($0) }.joined()
    return "<text x=\"\(plain(x))\" y=\"\(plain(y))\" \(attributes)>\(escaped)</text>"
  }

  private func tickLabel(_ value: Double) -> String {
    value == value.rounded() ? Text.grouped(Int(value)) : Text.fixed(value, 1)
  }

  /// A coordinate without needless digits.
  private func plain(_ value: Double) -> String {
    value == value.rounded() ? String(Int(value)) : Text.fixed(value, 1)
  }
}
