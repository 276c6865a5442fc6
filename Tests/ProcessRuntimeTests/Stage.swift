import Blueprints
import EnvironmentGraph
import Foundation
import ProcessRuntime
import Runtimes
import Testing
import TestSupport

/// A process runtime on a folder of its own, with one environment; everything is gone afterwards.
struct Stage: Sendable {
    let root: String
    let runtime: ProcessRuntime
    let environment: EnvironmentID

    var folder: String { "\(root)/\(environment)" }

    /// Beside the test's own program.
    static let fixture: String = {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""  // Always there.
        return (own as NSString).deletingLastPathComponent + "/supervisor-fixture"
    }()

    static func with(
        logs: LogSettings = LogSettings(), rootSuffix: String = "/environments", _ body: (Stage) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            let root = folder + rootSuffix
            let runtime = ProcessRuntime(root: root, supervisorCommand: [fixture, "supervise"], logs: logs)
            let id = "env-" + String(UInt64.random(in: 0...UInt64.max), radix: 36)
            let stage = Stage(root: root, runtime: runtime, environment: EnvironmentID(rawValue: id))
            do {
                try await body(stage)
            } catch {
                // Only for the failure's text.
                let log = try? String(contentsOfFile: stage.folder + "/supervisor.log", encoding: .utf8)
                Issue.record("supervisor.log: \(log ?? "none")")
                try await runtime.delete(stage.environment)
                throw error
            }
            try await runtime.delete(stage.environment)
        }
    }

    func shell(_ script: String, service: String = "main", generation: Int = 1) -> Workload {
        Workload(
            environment: environment, service: service, generation: generation, command: ["/bin/sh", "-c", script],
            workdir: "/", stopGraceSeconds: 5)
    }

    @discardableResult
    func reaches(
        _ states: WorkloadStatus.State..., service: String = "main", generation: Int = 1
    ) async throws -> WorkloadStatus {
        try await eventually("\(service) being \(states.map(\.rawValue))") {
            "\((try? await runtime.observe(environment)) ?? [])"  // The text of a failure.
        } _: {
            try await runtime.observe(environment).first {
                $0.service == service && $0.generation == generation && states.contains($0.state)
            }
        }
    }

    func lines(_ query: LogQuery = LogQuery()) async throws -> [LogLine] {
        var lines: [LogLine] = []
        for try await line in runtime.logs(of: environment, query) { lines.append(line) }
        return lines
    }

    func supervisorPid() throws -> Int32 {
        struct Record: Decodable { let pid: Int32 }
        return try JSONDecoder().decode(
            Record.self, from: Data(contentsOf: URL(fileURLWithPath: folder + "/supervisor.json"))
        ).pid
    }
}
