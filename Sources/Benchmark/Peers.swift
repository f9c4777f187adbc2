import Model
import Text

/// Other programs that do the same work: Python packages in a separate virtual environment, driven by
/// Scripts/benchmark-peers.
struct Peers {
  private let options: Options
  private let python: String
  private let scripts: String

  /// Creates the environment if it is missing or was made for other requirements, which takes minutes and gigabytes.
  init(_ options: Options) throws {
    self.options = options
    scripts = options.root + "/Scripts/benchmark-peers"
    let environment = options.cache + "/venv"
    python = environment + "/bin/python"
    let requirements = try Files.read(scripts + "/requirements.txt")
    if Files.exists(environment + "/ready"), try Files.read(environment + "/ready") == requirements { return }
    try Files.makeFolder(options.cache)
    // The variable overrides the pinned version, for instance with a CPU-only build.
    let torch = Environment["MLM_BENCHMARK_TORCH"] ?? "torch==2.15.0"
    Words.note("installing the peers into \(environment): \(torch), and Scripts/benchmark-peers/requirements.txt")
    let install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    try run([Environment["MLM_BENCHMARK_PYTHON"] ?? "python3", "-m", "venv", environment])
    try run(install + [torch])
    try run(install + ["--requirement", scripts + "/requirements.txt"])
    try Files.write(requirements, to: environment + "/ready")
  }

  /// Whether mlm is restricted to AVX2. Then the peers that can be restricted are, too. ONNX Runtime cannot be, and
  /// OpenVINO seems to ignore its variable.
  static let imitatesAVX2 = Environment["MLM_MAX_CPU_ISA"]?.lowercased() == "avx2"

  /// The peers that do not compute in a precision, or whose int8 is not measured.
  private static let unavailable: [String: Precision] = [
    "peer_onnxruntime.py": .bfloat16, "peer_ctranslate2.py": .bfloat16, "peer_pytorch.py": .int8,
  ]

  private static var instructions: [String: String] {
    guard imitatesAVX2 else { return [:] }
    return [
      "ONEDNN_MAX_CPU_ISA": "AVX2", "DNNL_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2",
      "ATEN_CPU_CAPABILITY": "avx2", "XLA_FLAGS": "--xla_cpu_max_isa=AVX2", "CT2_FORCE_CPU_ISA": "AVX2",
    ]
  }

  func contestants(_ kind: Worker.Kind, model: String, samples: String, batchSize: Int) throws -> [Contestant] {
    var list: [Contestant] = []
    let precision = options.isReduced ? ", \(options.precision)" : ""
    func add(_ name: String, _ script: String, batchSize: Int = batchSize, threads: Int? = nil) {
      let threads = threads ?? options.threads
      guard options.includes(name), Self.unavailable[script] != options.precision else { return }
      list.append(
        Contestant(
          name: name, role: .peer, threads: threads, precision: options.precision,
          command: [
            python, scripts + "/" + script, kind.rawValue, "--model", model, "--samples", samples, "--threads",
            "\(threads)", "--batch-size", "\(batchSize)", "--precision", options.precision.rawValue, "--cache",
            converted(model),
          ],
          environment: [
            "OMP_NUM_THREADS": "\(threads)", "PYTHONWARNINGS": "ignore", "TF_CPP_MIN_LOG_LEVEL": "3",
            "TRANSFORMERS_VERBOSITY": "error", "HF_HUB_OFFLINE": "1",
          ].merging(Self.instructions) { $1 }))
    }
    switch kind {
    case .predict, .evaluate:
      add("ONNX Runtime\(precision), batch 1", "peer_onnxruntime.py", batchSize: 1)
      add("ONNX Runtime\(precision), batch 8 by length", "peer_onnxruntime.py")
      add("PyTorch\(precision), batch 8 by length", "peer_pytorch.py")
      if kind == .predict || options.isReduced {
        add("OpenVINO\(precision), batch 1", "peer_openvino.py", batchSize: 1)
      }
      if options.isReduced { add("OpenVINO\(precision), batch 8 by length", "peer_openvino.py") }
      if kind == .predict { add("CTranslate2\(precision), batch 8 by length", "peer_ctranslate2.py") }
    case .latency:
      add("ONNX Runtime\(precision)", "peer_onnxruntime.py", batchSize: 1)
      add("OpenVINO\(precision)", "peer_openvino.py", batchSize: 1)
      add("PyTorch\(precision)", "peer_pytorch.py", batchSize: 1)
      if options.isReduced { add("CTranslate2\(precision)", "peer_ctranslate2.py", batchSize: 1) }
    case .fit:
      add("PyTorch, fused AdamW", "peer_pytorch.py")
      if samples.contains("x128") { add("KerasHub, JAX, jit", "peer_kerashub.py") }
    case .tokenize:
      for threads in Set([1, options.threads]).sorted() {
        add("Hugging Face tokenizers, \(Count.text(threads, "thread"))", "peer_tokenizers.py", threads: threads)
        add("nanotoken, \(Count.text(threads, "thread"))", "peer_tokenizers.py", batchSize: 0, threads: threads)
      }
    default: break
    }
    if list.contains(where: { $0.name.hasPrefix("ONNX") || $0.name.hasPrefix("OpenVINO") }) { try export(model) }
    return list
  }

  /// Commands whose processes fill one mask.
  func startup(model: String, text: String) throws -> [(String, [String])] {
    guard options.includes("ONNX Runtime") else { return [] }
    try export(model)
    let command = [python, scripts + "/startup_onnxruntime.py", converted(model), model, text, "\(options.threads)"]
    return [("ONNX Runtime, minimal script", command)]
  }

  /// The folder for other formats of a model. The modification time distinguishes models with the same name.
  private func converted(_ model: String) -> String {
    let name = model.split(separator: "/").suffix(2).joined(separator: "-")
    return options.cache + "/converted/\(name)-\(Files.modificationTime(model + "/model.safetensors"))"
  }

  private func export(_ model: String) throws {
    let folder = converted(model)
    guard !Files.exists(folder + "/fused.onnx") else { return }
    Words.note("exporting \(model) to ONNX")
    try run([python, scripts + "/export_onnx.py", model, folder])
  }

  private func run(_ command: [String]) throws {
    let log = options.cache + "/peers.log"
    guard try ChildProcess.run(command, log: log).usage.succeeded else {
      let last = Files.text(log)?.split(separator: "\n").last.map { ": " + $0 } ?? ""
      throw BenchmarkError("cannot prepare the peers\(last)", hint: "see \(log), or run without --peers")
    }
  }
}
