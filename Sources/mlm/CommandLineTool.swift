import CommandLine
import Files
import Glibc
import Model
import Tensor

/// The entry point: selects the command, and reports errors and exits in one function.
enum CommandLineTool {
  static let version = "0.1.0"
  /// The date of that version, for the manual.
  static let versionDate = "2026-11-26"

  static func main() -> Never {
    StandardDescriptors.keepOpen()
    let arguments = (1..<max(1, Int(CommandLine.argc))).compactMap { index in
      CommandLine.unsafeArgv[index].map { Argument(bytes: Array(UnsafeRawBufferPointer(start: $0, count: strlen($0)))) }
    }
    let output = Output()
    let console = Console(
      isQuiet: false, terminal: Terminal(descriptor: STDERR_FILENO, environment: environmentVariable))
    exit(run(arguments, output: output, console: console).status)
  }

  /// Runs a command, writes all output and reports all errors.
  static func run(_ arguments: [Argument], output: Output, console: Console) -> ExitCode {
    var code: ExitCode
    do {
      code = try execute(arguments, output: output, console: console)
    } catch OutputError.closed {
      endByClosedPipe()
    } catch let interruption as Interruption {
      code = .interrupted(signal: interruption.signal)
      console.error(interruption.error)
    } catch {
      code = error is UsageError ? .wrongUsage : .failed
      console.error(error)
    }
    // Results computed before an error are still written.
    do {
      try output.flush()
    } catch .closed {
      endByClosedPipe()
    } catch {
      console.error(error)
      code = .failed
    }
    return code
  }

  private static func execute(_ arguments: [Argument], output: Output, console: Console) throws -> ExitCode {
    guard let first = arguments.first else {
      // Help that was not requested is a message, not a result.
      _ = writeAll(Array(Help(.mlm).short().utf8), to: STDERR_FILENO)
      return .wrongUsage
    }
    let rest = Array(arguments.dropFirst())
    switch first.text {
    case "-h":
      try output.write(Help(.mlm).short())
      return .done
    case "--help":
      try output.write(HelpCommand.overview)
      return .done
    case "--version":
      try output.write("mlm \(version)\n")
      return .done
    case "help":
      try output.write(HelpCommand.text(for: rest))
      return .done
    default:
      if first.looksLikeOption {
        if let nearest = Nearest.name(to: first.text, in: ["--help", "--version"]) {
          throw UsageError("unknown option \(first.text)", hint: "did you mean \(nearest)?")
        }
        throw UsageError.optionBeforeCommand(first.text, of: .mlm)
      }
      if let invalid = InstructionSet.invalidLimit {
        throw UsageError(invalid, hint: "unset it to use all instructions of the processor")
      }
      return try Command.named(first).run(rest, output: output)
    }
  }

  /// Ends the process silently by SIGPIPE, because the reader of its output has closed the pipe.
  private static func endByClosedPipe() -> Never {
    signal(SIGPIPE, SIG_DFL)
    raise(SIGPIPE)
    exit(128 + SIGPIPE)
  }
}

/// The three standard descriptors, some of which the parent may have closed.
private enum StandardDescriptors {
  /// Opens closed descriptors in the opposite mode, so that using them fails. Otherwise a file opened later would get
  /// the number, and results or messages would be written into it.
  static func keepOpen() {
    for (descriptor, mode) in [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY)]
    where fcntl(descriptor, F_GETFD) == -1 && errno == EBADF {
      _ = open("/dev/null", mode)
    }
  }
}
