import Testing

@testable import CommandLine

@Suite struct ParserTests {
  func error(_ line: String) -> UsageError? {
    do throws(UsageError) {
      let parsed = try Sample.parse(line)
      _ = try parsed.value(of: Sample.count)
      _ = try parsed.value(of: Sample.ratio)
      _ = try parsed.value(of: Sample.words)
      _ = try parsed.value(of: Sample.shape)
      return nil
    } catch {
      return error
    }
  }

  @Test func optionalChoices() throws {
    #expect(try Sample.parse("a").value(of: Sample.outline) == nil)
    #expect(try Sample.parse("--outline round a").value(of: Sample.outline) == .round)
    func hint(_ value: String) -> String? {
      do throws(UsageError) {
        _ = try Sample.parse("--outline \(value) a").value(of: Sample.outline)
        return nil
      } catch {
        return error.hint
      }
    }
    for value in ["circle", "Circle", "roound", "ROUND"] {
      #expect(hint(value) == "did you mean --outline round?", "\(value)")
    }
    #expect(hint("line") == nil)
  }

  @Test func bothSpellings() throws {
    #expect(try Sample.parse("--count 5 a").value(of: Sample.count) == 5)
    #expect(try Sample.parse("--count=5 a").value(of: Sample.count) == 5)
    #expect(try Sample.parse("a --file=x=y").value(of: Sample.file) == "x=y")
    #expect(try Sample.parse("a").value(of: Sample.count) == 3)
  }

  @Test func operands() throws {
    #expect(try Sample.parse("a --count 5 - b").files() == ["a", "-", "b"])
    #expect(try Sample.parse("-- --count -h").files() == ["--count", "-h"])
    #expect(
      throws: UsageError("no FILE was given", hint: "usage: sample do [OPTIONS] FILE...; - as FILE is standard input")
    ) {
      try Sample.parse("").files()
    }
    #expect(throws: UsageError.self) { try Sample.parse("- -").files() }
  }

  @Test func repeatedOptions() throws {
    #expect(try Sample.parse("--count 3 --count 5 a").value(of: Sample.count) == 5)
    #expect(try Sample.parse("--words a,b --words=c a").value(of: Sample.words) == ["a", "b", "c"])
  }

  @Test(arguments: [
    ("--count", "--count needs a value"), ("--file --quiet", "--file needs a value, and --quiet looks like an option"),
    ("--quiet=yes", "--quiet takes no value, but 'yes' was given"),
    ("--count 10", "--count: '10' is not a whole number from 1 to 9"),
    ("--ratio -0.5", "--ratio: '-0.5' is not a number of at least 0 and at most 1"),
    ("--words a,,b", "--words: 'a,,b' is not a list of words separated by commas"),
    ("--shape oval", "--shape: 'oval' is not round or square"), ("-x", "unknown option -x for 'sample do'"),
  ])
  func refuses(_ line: String, _ message: String) { #expect(error(line)?.message == message) }

  @Test func suggestions() {
    #expect(error("--conut 3 a")?.hint == "did you mean --count?")
    #expect(error("--number=3 a")?.hint == "did you mean --count?")
    #expect(error("--shape rond")?.hint == "did you mean --shape round?")
    #expect(error("--unrelated-name")?.hint == "'sample do -h' lists the options")
    #expect(
      UsageError.unknownCommand("od", of: Sample.program).hint == "did you mean 'sample do'?")
    #expect(UsageError.unknownCommand("nothing", of: Sample.program).hint == "sample --help lists the commands")
  }

  @Test func pathsKeepTheirBytes() throws {
    let parsed = try Parser.parse([Argument(bytes: [0x61, 0xFF])], for: Sample.command)
    #expect(try Argument(parsed.files()[0]).bytes != [0x61, 0xFF] && parsed.operands[0].bytes == [0x61, 0xFF])
  }
}

@Suite struct ExclusionTests {
  func conflict(_ line: String) -> String? {
    do throws(UsageError) {
      try Sample.parse(line).checkExclusions()
      return nil
    } catch {
      return error.message
    }
  }

  @Test func groups() {
    #expect(conflict("--quiet --loud") == "--quiet and --loud are mutually exclusive: it is one or the other")
    // Options are named in the order of the group, not in the order typed.
    #expect(conflict("--loud --quiet") == conflict("--quiet --loud"))
    #expect(conflict("--quiet") == nil && conflict("") == nil)
  }

  @Test func values() {
    #expect(conflict("--shape square --file x") == "--shape square and --file are mutually exclusive: a file is round")
    #expect(conflict("--shape square --shape round --file x") == nil)
    #expect(
      conflict("--jewel j --shape square") == "--jewel and --shape square are mutually exclusive: jewels are round")
    #expect(conflict("--jewel j --shape round") == nil)
  }

  @Test func whatOnlyOverridesIsNoConflict() { #expect(conflict("--first 1 --last 2") == nil) }

  @Test(arguments: [
    ("--first 1", "--last 2", true), ("--last 2", "--first 1", true), ("--count 1", "--count 2", true),
    ("--quiet", "--loud", true), ("--shape square", "--file x", true), ("--shape round", "--file x", false),
    // An exclusion declared by one option overrides in one direction.
    ("--file x", "--shape square", false), ("--jewel j", "--shape square", true), ("--jewel j", "--shape round", false),
    ("--count 1", "--loud", false),
  ])
  func overriding(_ typed: String, _ other: String, _ expected: Bool) throws {
    let (typed, other) = (try Sample.parse(typed), try Sample.parse(other))
    #expect(typed.overrides(other.given[0]) == expected)
  }
}
