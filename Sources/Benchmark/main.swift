BenchmarkTool.run(CommandLine.arguments)
