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
    // The door to OpenBLAS. Only Sources/Model/Tensor imports it, and Sources/Benchmark to measure it.
    .systemLibrary(name: "CBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),

    // Inner loops compiled for several instruction sets, the widest taken at run time: Swift cannot compile one function for
    // another processor than the rest. Only Sources/Model/Tensor imports it.
    .target(name: "CKernels"),

    // libcurl's header; the library itself is loaded when the network is needed. Only Sources/Model/Hub/HTTP imports it.
    .systemLibrary(name: "CCurl", providers: [.apt(["libcurl4-openssl-dev"])]),

    // The files of the presets that are part of the program: C can embed megabytes, the Swift compiler cannot. Only
    // Sources/Model/Hub/Embedded imports it.
    .target(name: "CPresets", exclude: ["distil_bert_tiny_en_uncased"]),

    // The door to libhdf5, with the trait KerasWeights alone. Only Sources/Model/Checkpoint/Keras imports it.
    .systemLibrary(name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"])]),

    // DistilBERT masked language modelling: model, maths, tokenizer, training, checkpoints.
    .target(
      name: "Model",
      dependencies: [
        "CBLAS", "CKernels", "CPresets", "CCurl", .target(name: "CHDF5", condition: .when(traits: ["KerasWeights"])),
      ],
      resources: [
        // A link to the registry at the top level, so that `mlm` needs no file beside it.
        .embedInCode("Hub/Embedded/presets.json")
      ]
    ),

    // What pictures of measurements are drawn with: SVG elements, round numbers along an axis.
    .target(name: "Charts"),

    // The command-line tool: argument parser, commands, terminal.
    .executableTarget(name: "mlm", dependencies: ["Model", "Charts"]),

    // Measures the library, the tool, this machine, and what else does the same work: Scripts/benchmark.
    .executableTarget(name: "benchmark", dependencies: ["Model", "CBLAS", "Charts"], path: "Sources/Benchmark"),

    // What both test targets use: a hub on loopback that misbehaves when told.
    .target(name: "TestSupport", path: "Tests/Support"),
    .testTarget(name: "ModelTests", dependencies: ["Model", "CKernels", "TestSupport"], resources: [.copy("Golden")]),
    .testTarget(name: "mlmTests", dependencies: ["mlm", "Model", "Charts", "TestSupport"]),
  ],
  swiftLanguageModes: [.v6]
)
