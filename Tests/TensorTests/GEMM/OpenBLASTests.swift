import CKernels
import Testing

@testable import Tensor

@Suite struct OpenBLASTests {
  /// Version 0.3.21 misidentifies a Raptor Lake or an Emerald Rapids. Only such a machine shows the change itself.
  @Test func processorsThatOpenBLASMistakes() {
    func better(_ core: String, _ instructions: mlm_instruction_set, chosen: Bool = false) -> String? {
      OpenBLAS.betterCore(than: core, instructions: instructions, chosen: chosen)
    }
    #expect(better("Prescott", MLM_AVX512) == "SkylakeX")
    #expect(better("Prescott", MLM_AVX2) == "Haswell")
    #expect(better("Nehalem", MLM_AVX2) == "Haswell")
    // An old processor, one that it recognizes, and the user's choice.
    #expect(better("Prescott", MLM_BASELINE) == nil)
    #expect(better("Haswell", MLM_AVX512) == nil)
    #expect(better("Zen", MLM_AVX2) == nil)
    #expect(better("Prescott", MLM_AVX512, chosen: true) == nil)
  }
}
