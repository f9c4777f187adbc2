/// The elements of an SVG image as text, without external fonts, styles or scripts. Numbers do not depend on the
/// locale.
package enum SVG {
  /// A complete image on a white background, so that it is readable on a dark page too.
  package static func document(width: Double, height: Double, _ body: String) -> String {
    """
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(number(width)) \(number(height))" \
    width="\(number(width))" height="\(number(height))" font-family="sans-serif" font-size="11" fill="#222">
    <rect width="100%" height="100%" fill="#fff"/>
    \(body)</svg>

    """
  }

  package static func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ attributes: String) -> String {
    "<line x1=\"\(number(x1))\" y1=\"\(number(y1))\" x2=\"\(number(x2))\" y2=\"\(number(y2))\" \(attributes)/>\n"
  }

  package static func polyline(_ points: [(x: Double, y: Double)], _ attributes: String) -> String {
    let coordinates = points.map { "\(number($0.x)),\(number($0.y))" }.joined(separator: " ")
    return "<polyline fill=\"none\" \(attributes) points=\"\(coordinates)\"/>\n"
  }

  package static func circle(_ x: Double, _ y: Double, radius: Double, fill: String) -> String {
    "<circle cx=\"\(number(x))\" cy=\"\(number(y))\" r=\"\(number(radius))\" fill=\"\(fill)\"/>\n"
  }

  /// A text element. Markup is escaped; characters that XML does not allow are replaced with U+FFFD.
  package static func text(_ text: String, _ x: Double, _ y: Double, _ attributes: String = "") -> String {
    let space = attributes.isEmpty ? "" : " "
    return "<text x=\"\(number(x))\" y=\"\(number(y))\"\(space)\(attributes)>\(escaped(text))</text>\n"
  }

  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "\t", "\n", "\r": result += " "
      case "\0"..<" ", "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// A coordinate rounded to a tenth, without trailing zeros; 0 for NaN and for values far outside any image.
  package static func number(_ value: Double) -> String {
    guard abs(value) < 1e9 else { return "0" }
    let tenths = Int((value * 10).rounded())
    let whole = "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10)"
    return tenths % 10 == 0 ? whole : "\(whole).\(abs(tenths) % 10)"
  }
}
