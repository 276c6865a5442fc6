import Foundation
import TestSupport
import Testing

/// A few hundred random histories; `make simulate` runs ten thousand and more.
@Suite struct SimulationTests {
    private static var program: URL {
        URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
            .appendingPathComponent("simulation")
    }

    private static func run(_ arguments: [String], _ environment: [String: String] = [:]) async throws -> (
        code: Int32, output: String
    ) {
        try await withTemporaryFolder { folder in
            let path = folder + "/output"
            try Data().write(to: URL(filePath: path))
            let process = Process()
            process.executableURL = program
            process.arguments = arguments
            process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
            process.standardOutput = try FileHandle(forWritingTo: URL(filePath: path))
            process.standardError = process.standardOutput
            try process.run()
            defer { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
            try await eventually("the end of the simulation", within: .seconds(60)) { process.isRunning ? nil : true }
            let output = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
            return (process.terminationStatus, output)
        }
    }

    @Test func everyHistoryComesToWhereItShouldBe() async throws {
        let (code, output) = try await Self.run(["1", "200"])
        #expect(code == 0, "\(output)")
    }

    @Test func aSeedMakesOneHistory() async throws {
        let first = try await Self.run([], ["MICROSTAX_SIMULATE_SEED": "7"])
        let second = try await Self.run([], ["MICROSTAX_SIMULATE_SEED": "7"])
        #expect(first.output.utf8.count > 1_000)
        #expect(first.output == second.output)
    }
}
