// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "mlm",
  products: [
    .library(name: "Model", targets: ["Model"]),
    .executable(name: "mlm", targets: ["mlm"]),
  ],
  targets: [
    // The door to OpenBLAS. Only Sources/Model/Tensor imports it.
    .systemLibrary(name: "CBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),

    // DistilBERT masked language modelling: model, maths, tokenizer, training, checkpoints.
    .target(
      name: "Model",
      dependencies: ["CBLAS"],
      resources: [
        // A link to the registry at the top level, so that `mlm` needs no file beside it.
        .embedInCode("Hub/Embedded/presets.json")
      ]
    ),

    // The command-line tool: argument parser, commands, terminal.
    .executableTarget(name: "mlm", dependencies: ["Model"]),

    .testTarget(name: "ModelTests", dependencies: ["Model"], resources: [.copy("Golden")]),
    .testTarget(name: "mlmTests", dependencies: ["mlm", "Model"]),
  ],
  swiftLanguageModes: [.v6]
)
