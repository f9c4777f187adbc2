// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "mlm",
  products: [
    .library(name: "Model", targets: ["Model"]),
    .executable(name: "mlm", targets: ["mlm"]),
  ],
  traits: [
    .trait(
      name: "KerasWeights",
      description: "Read KerasHub's preset directories, whose weights are HDF5 files (needs libhdf5-dev).")
  ],
  targets: [
    // MARK: C libraries

    // OpenBLAS. Only Tensor imports it, and the benchmark, to measure it.
    .systemLibrary(name: "CBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),

    // Inner loops compiled for several instruction sets, of which the widest is chosen at run time: Swift cannot
    // compile one function for another processor than the rest. Only Tensor imports it.
    .target(name: "CKernels"),

    // libcurl's header; the library itself is loaded on first use of the network. Only Hub/HTTP imports it.
    .systemLibrary(name: "CCurl", providers: [.apt(["libcurl4-openssl-dev"])]),

    // The files of the presets that are part of the program: C can embed megabytes, the Swift compiler cannot. Only
    // Hub/Embedded imports it.
    .target(name: "CPresets", exclude: ["distil_bert_tiny_en_uncased"]),

    // libhdf5, only with the trait KerasWeights. Only Model/Checkpoint/Keras imports it.
    .systemLibrary(name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"])]),

    // MARK: The library, with one target per layer: each target imports only its dependencies

    // Paths, mappings, atomic files and directories, system errors, dynamic libraries, the clock.
    .target(name: "Files"),

    // UTF-8, Unicode's tables, JSON, numbers as text.
    .target(name: "Text", dependencies: ["Files"]),

    // Matrices, parameters, matrix products, threads, random numbers.
    .target(name: "Tensor", dependencies: ["Files", "CBLAS", "CKernels"]),

    // Presets by name, and the hub. Returns directories; independent of models.
    .target(
      name: "Hub", dependencies: ["Files", "Text", "CCurl", "CPresets"],
      resources: [
        // A link to the registry at the top level, embedded so that `mlm` needs no other file.
        .embedInCode("Embedded/presets.json")
      ]
    ),

    // DistilBERT masked language modeling: backbone, head, preprocessor, trainer, checkpoints. Users import this
    // target.
    .target(
      name: "Model",
      dependencies: [
        "Files", "Text", "Tensor", "Hub", .target(name: "CHDF5", condition: .when(traits: ["KerasWeights"])),
      ]
    ),

    // MARK: The programs

    // The elements of charts: SVG, and axes with round numbers.
    .target(name: "Charts", dependencies: ["Text"]),

    // Declarations of commands and options, and their parser, help, manual and completions.
    .target(name: "CommandLine", dependencies: ["Files", "Text"]),

    // The command-line tool: commands and terminal output.
    .executableTarget(
      name: "mlm", dependencies: ["Model", "Files", "Text", "Tensor", "Hub", "Charts", "CommandLine"]),

    // Measures the library, the tool, this machine, and comparable software: Scripts/benchmark.
    .executableTarget(
      name: "benchmark",
      dependencies: ["Model", "Files", "Text", "Tensor", "Hub", "CBLAS", "Charts", "CommandLine"],
      path: "Sources/Benchmark"),

    // MARK: Tests

    // Shared by test targets: temporary folders, a bench for layers, a hub on loopback that misbehaves on request.
    .target(name: "TestSupport", dependencies: ["Tensor"], path: "Tests/Support"),
    .testTarget(name: "FilesTests", dependencies: ["Files", "TestSupport"]),
    .testTarget(name: "TextTests", dependencies: ["Text", "Files", "Tensor"]),
    .testTarget(name: "TensorTests", dependencies: ["Tensor", "Files", "CKernels", "TestSupport"]),
    .testTarget(name: "HubTests", dependencies: ["Hub", "Files", "Text", "TestSupport"]),
    .testTarget(
      name: "ModelTests", dependencies: ["Model", "Files", "Text", "Tensor", "Hub", "CKernels", "TestSupport"],
      resources: [.copy("Golden")]),
    .testTarget(name: "ChartsTests", dependencies: ["Charts"]),
    .testTarget(name: "CommandLineTests", dependencies: ["CommandLine"]),
    .testTarget(
      name: "mlmTests",
      dependencies: ["mlm", "Model", "Files", "Text", "Tensor", "Hub", "Charts", "CommandLine", "TestSupport"]),
  ],
  swiftLanguageModes: [.v6]
)
