import CommandLine

extension HelpTopic {
  static let machines = HelpTopic(
    name: "machines", title: "threads, memory, processors, running several processes",
    blocks: [
      .heading("Threads"),
      .paragraph(
        """
        mlm uses one thread per CPU that the process may use; affinity and cgroup quotas are respected. --threads N \
        overrides that, and so do OMP_NUM_THREADS and OPENBLAS_NUM_THREADS. Two threads are 1.7 to 1.9 times as fast \
        as one. 16 cores answer a line 6 times as fast as one and train 5.5 times as fast.
        """),
      .paragraph("For many files, several processes of one thread each use a machine best:"),
      .code([
        "find letters -name '*.txt' -print0 | xargs -0 -P 2 -I{} \\",
        "  mlm predict --quiet --threads 1 --format fill --input {}",
        "parallel --pipepart -a big.txt --block 1M -k -j2 \\",
        "  mlm predict --quiet --threads 1 --format fill > filled.txt",
      ]),

      .heading("Memory"),
      .paragraph(
        """
        Weights are mapped from the file, so processes with the same model share them. predict needs the file and 16 \
        MB for one short text, 90 MB for many lines. fit needs 16 bytes per parameter and the activations of a batch: \
        with the base model, 1.4 GB for 8 × 128 tokens and 2.3 GB for 32 × 128. Smaller batches with \
        --gradient-accumulation give the same result in less memory. Memory does not grow with the size of the text \
        or the number of inputs.
        """),

      .heading("Processors"),
      .paragraph(
        """
        One binary runs on every x86-64 processor and uses AVX2 or AVX-512 where available; products in bfloat16 and \
        int8 also use VNNI, AVX512_BF16 and AMX. 'mlm info' and --verbose name the instructions. Two variables \
        restrict them, to compare or to reproduce the results of another machine:
        """),
      .table([
        Row("MLM_MAX_CPU_ISA", "baseline, avx2, avx512, vnni or amx: for mlm's own loops"),
        Row("OPENBLAS_CORETYPE", "OpenBLAS' kernels: Haswell, SkylakeX, Zen …"),
      ]),

      .heading("Precision"),
      .paragraph(
        """
        predict and evaluate compute matrix products in float32, bfloat16 or int8: --precision, or the variable \
        MLM_PRECISION. bfloat16 and int8 read half and a quarter of the bytes, and predictions change slightly. \
        Weights are converted when they are first used; nothing needs to be calibrated. In int8, the encoder's \
        products are exact sums of integers, the same on all instructions. fit always trains in float32. Measure the \
        difference on text of your own:
        """),
      .code(["mlm evaluate --precision int8 --against float32 held-out.txt"]),

      .heading("Equal results"),
      .paragraph(
        """
        The same text, options and seed give the same bytes. evaluate and predict do not depend on the number of \
        threads, the batch size or the other inputs. For fit, another number of threads may change the last digits; \
        for all commands, another kind of processor or another version of OpenBLAS may, too. This was measured on \
        processors with AVX2 and AVX-512 and OpenBLAS 0.3.21.
        """),
    ])
}
