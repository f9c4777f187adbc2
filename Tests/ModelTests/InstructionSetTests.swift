import CKernels
import Foundation
import Testing

@testable import Files
@testable import Model
@testable import Tensor

/// A run of suites for one instruction set.
private enum Repetition {
  /// Whether this process is such a run, started by `InstructionSetTests`.
  static let isThis = ProcessInfo.processInfo.environment["MLM_TESTS_REPEATED"] != nil

  static func isPossible(_ instructions: mlm_instruction_set) -> Bool {
    mlm_instructions().rawValue >= instructions.rawValue
  }
}

/// Repeats the suites that compute for every instruction set of this processor, with matching kernels of OpenBLAS. Both
/// are selected once per process, outside the inner loops, so each combination gets its own process.
@Suite struct InstructionSetTests {
  @Test(.enabled(if: Repetition.isPossible(MLM_AVX512), "this processor has no AVX-512"))
  func avx512WithOpenBLASForAVX512() throws { try expectPasses("avx512", openBLAS: "SkylakeX") }

  /// OpenBLAS 0.3.21 takes some processors with AVX-512 for ones without.
  @Test(.enabled(if: Repetition.isPossible(MLM_AVX512), "this processor has no AVX-512"))
  func avx512WithOpenBLASForAVX2() throws { try expectPasses("avx512", openBLAS: "Haswell") }

  @Test(.enabled(if: Repetition.isPossible(MLM_AVX2), "this processor has no AVX2"))
  func avx2WithOpenBLASForAVX2() throws { try expectPasses("avx2", openBLAS: "Haswell") }

  /// The combination on a processor with AVX-512 if only MLM_MAX_CPU_ISA is set.
  @Test(.enabled(if: Repetition.isPossible(MLM_AVX512), "this processor has no AVX-512"))
  func avx2WithOpenBLASForAVX512() throws { try expectPasses("avx2", openBLAS: "SkylakeX") }

  @Test func baselineWithOpenBLASForSSE() throws { try expectPasses("baseline", openBLAS: "Nehalem") }

  // MARK: Runs

  /// Every suite of the folders whose code computes, and some suites of whole models. Excludes suites that would start
  /// such runs again, and suites about threads only.
  private static let suites: [String] = {
    let tests = Reference.repository.appendingPathComponent("Tests")
    let folders = ["TensorTests", "ModelTests/Layers", "ModelTests/Backbone", "ModelTests/Head"]
    let files = folders.flatMap { folder in
      FileManager.default.subpaths(atPath: tests.appendingPathComponent(folder).path)?.map { Path.name($0) } ?? []
    }
    let others = [
      "InstructionSetChoiceTests",
      "NetworkForwardTests", "NetworkTests", "TrainingStepTests", "EvaluatorReferenceTests", "FillMaskReferenceTests",
      "AccumulationTests", "OptimizerTests", "PseudoLikelihoodTests",
    ]
    let all = files.filter { $0.hasSuffix("Tests.swift") }.map { String($0.dropLast(6)) } + others
    return all.filter { !["InstructionSetTests", "WorkerPoolTests", "ThreadCountTests"].contains($0) }
  }()

  private func expectPasses(_ instructions: String, openBLAS core: String) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = [
      "--testing-library", "swift-testing", "--filter",
      "^(Tensor|Model)Tests\\.(\(Self.suites.joined(separator: "|")))/",
    ]
    process.environment = ProcessInfo.processInfo.environment.merging([
      "MLM_TESTS_REPEATED": "1", "MLM_MAX_CPU_ISA": instructions, "OPENBLAS_CORETYPE": core,
    ]) { $1 }
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    let lines = output.split(separator: "\n")
    let failures = lines.filter { $0.contains("recorded an issue") || $0.contains(" failed after ") }
    #expect(process.terminationStatus == 0, "\(failures.prefix(40).joined(separator: "\n"))\n\(lines.last ?? "")")
    // A filter without a match would pass.
    #expect(lines.contains { $0.contains("Suite SmallBatchGEMMTests passed") })
    #expect(lines.contains { $0.contains("Suite NetworkForwardTests passed") })
  }
}

/// In the runs above, the process computes with the requested instruction set.
@Suite struct InstructionSetChoiceTests {
  @Test func isWhatTheVariablesSay() throws {
    let environment = ProcessInfo.processInfo.environment
    if let limit = environment["MLM_MAX_CPU_ISA"] {
      let sets = [
        "baseline": MLM_BASELINE, "avx2": MLM_AVX2, "avx512": MLM_AVX512, "vnni": MLM_AVX512, "amx": MLM_AVX512,
      ]
      let allowed = limit.isEmpty ? MLM_AVX512 : try #require(sets[limit.lowercased()])
      #expect(mlm_instructions().rawValue <= allowed.rawValue, "\(limit)")
      #expect(mlm_instructions() == allowed || !Repetition.isThis, "\(limit)")
    }
    if let core = environment["OPENBLAS_CORETYPE"], mlm_openblas_can_choose_again() != 0 {
      #expect(OpenBLAS.core.lowercased() == core.lowercased())
    }
  }

  @Test func valuesOfTheVariable() {
    for known in ["", "baseline", "avx2", "AVX2", "avx512", "vnni", "AMX"] {
      #expect(mlm_knows_limit(known) != 0, "\(known)")
    }
    for unknown in ["avx", "avx-512", "sse2", " avx2", "baseline2"] {
      #expect(mlm_knows_limit(unknown) == 0, "\(unknown)")
    }
  }
}
