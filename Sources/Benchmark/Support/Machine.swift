import CBLAS
import Glibc
import Model
import Tensor
import Text

/// The machine on which the results were measured.
struct Machine {
  let processor: String
  let cores: Int
  let megabytes: Int
  let system: String
  let instructions: String
  let openBLAS: String
  let openBLASCore: String

  init() {
    let information = Files.text("/proc/cpuinfo") ?? ""
    func field(_ name: String) -> String? {
      for line in information.split(separator: "\n") where line.hasPrefix(name) {
        let parts = line.split(separator: ":", maxSplits: 1)
        if parts.count == 2, Self.trimmed(parts[0]) == name { return Self.trimmed(parts[1]) }
      }
      return nil
    }
    // Guests often see a vendor name without the model, so family and model number are added.
    processor = [
      field("model name") ?? "processor", field("cpu family").map { "family \($0)" },
      field("model").map { "model \($0)" },
    ]
    .compactMap { $0 }.joined(separator: " ")
    let flags = Set((field("flags") ?? "").split(separator: " ").map(String.init))
    let known = ["avx2", "fma", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8"]
    instructions = known.filter(flags.contains).joined(separator: " ")
    cores = sysconf(Int32(_SC_NPROCESSORS_ONLN))
    megabytes = Int(Double(sysconf(Int32(_SC_PHYS_PAGES))) * Double(sysconf(Int32(_SC_PAGESIZE))) / 1e6)
    let release =
      (Files.text("/etc/os-release") ?? "").split(separator: "\n")
      .first { $0.hasPrefix("PRETTY_NAME=") }.map { $0.dropFirst(12).filter { $0 != "\"" } } ?? "Linux"
    var name = utsname()
    uname(&name)
    let kernel = withUnsafeBytes(of: name.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    system = "\(String(release)), kernel \(kernel.prefix { $0 != "-" })"
    openBLAS = MatrixLibrary.version
    openBLASCore = OpenBLAS.core
  }

  /// The machine's name in file names.
  var slug: String {
    var text = processor + " \(cores) cores"
    if let core = Environment["OPENBLAS_CORETYPE"], !core.isEmpty { text += " as \(core)" }
    if let most = Environment["MLM_MAX_CPU_ISA"], !most.isEmpty { text += " with \(most)" }
    let parts = text.lowercased().split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
    return parts.joined(separator: "-")
  }

  var json: JSONValue {
    .object([
      ("processor", .string(processor)), ("cores", .number(cores)), ("memory_mb", .number(megabytes)),
      ("system", .string(system)), ("instructions", .string(instructions)),
    ])
  }

  static func trimmed(_ text: some StringProtocol) -> String {
    var part = text[...]
    while let first = part.first, first == " " || first == "\t" || first == "\n" { part = part.dropFirst() }
    while let last = part.last, last == " " || last == "\t" || last == "\n" { part = part.dropLast() }
    return String(part)
  }

  /// The peak resident memory of this process.
  static var peakMegabytes: Double {
    for line in (Files.text("/proc/self/status") ?? "").split(separator: "\n") where line.hasPrefix("VmHWM:") {
      let digits = line.filter(\.isNumber)
      return (Double(digits) ?? 0) * 1024 / 1e6
    }
    return 0
  }
}
