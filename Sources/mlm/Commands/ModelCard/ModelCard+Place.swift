import Files
import Model

extension ModelCard {
  /// The name of the card's file in a model directory that is to be written there.
  ///
  /// A README.md that is there and is not a card of ours is somebody's: it stays, and the card takes another name. (What a
  /// model directory does not know stays in it when it is overwritten: `ModelDirectory.write`.)
  static func place(in directory: String) -> (name: String, note: String?) {
    let path = directory + "/README.md"
    let bytes: [UInt8]
    do {
      bytes = try FileMapping.contents(of: path)
    } catch .missing {
      return ("README.md", nil)
    } catch {
      return ("MODEL_CARD.md", note(path))
    }
    let isOurs = bytes.split(separator: UInt8(ascii: "\n")).contains { $0.elementsEqual(mark.utf8) }
    return isOurs ? ("README.md", nil) : ("MODEL_CARD.md", note(path))
  }

  private static func note(_ path: String) -> String {
    "\(path) was not written by mlm and stays as it is; the model card is MODEL_CARD.md"
  }
}
