import Testing

@testable import Files
@testable import Hub
@testable import Model
@testable import Text

@Suite struct ErrorKindTests {
  /// What each call throws tells its kind, whatever the type of the error.
  @Test func kindsOfErrors() throws {
    func kind(_ body: () throws -> Void) -> ErrorKind? {
      do {
        try body()
        return nil
      } catch {
        return (error as? any ModelError)?.kind
      }
    }
    #expect(kind { _ = try FileMapping(path: "/nothing/here") } == .directory)
    #expect(kind { _ = try JSONValue.parse(Array("{".utf8)) } == .directory)
    #expect(kind { _ = try TextFile.open(["/nothing/here"]) } == .directory)
    #expect(kind { _ = try TextFile.open([]) } == .data)
    #expect(kind { _ = try TrainingCheckpoint.newest(in: CheckpointFolder(output: "/nothing/here")) } == .training)
    #expect(kind { _ = try PresetRegistry.builtIn().resolve("no-such-preset") } == .hub)
    #expect(kind { throw ModelUseError.noPreprocessor } == .use)
  }
}
