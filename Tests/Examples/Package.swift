// swift-tools-version: 6.1
// A package of its own that depends on the library next door, as a program elsewhere would by its address.
import PackageDescription

let package = Package(
  name: "examples",
  dependencies: [.package(name: "mlm", path: "../..")],
  targets: [
    .executableTarget(name: "adapt", dependencies: [.product(name: "Model", package: "mlm")])
  ],
  swiftLanguageModes: [.v6]
)
