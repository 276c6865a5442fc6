import Blueprints
import EnvironmentGraph
import Foundation
import Runtimes
import TestSupport

/// What every driver of the `Runtime` port must do, whatever it is made of.
///
/// A driver's tests run every case with an environment of its own, and delete that afterwards, also on failure:
/// ```swift
/// @Test(arguments: RuntimeConformance.cases) func conforms(_ rule: RuntimeRule) async throws {
///     try await rule.check(RuntimeStage(runtime: runtime, environment: id, …))
/// }
/// ```
/// The cases use nothing but the protocol, and throw ``RuntimeRuleBroken`` where it is not kept.
package enum RuntimeConformance {
    package static let cases: [RuntimeRule] = lifeRules + failureRules + logRules + execRules
}

package struct RuntimeRule: Sendable, CustomStringConvertible {
    package let name: String
    package let check: @Sendable (RuntimeStage) async throws -> Void

    init(_ name: String, _ check: @escaping @Sendable (RuntimeStage) async throws -> Void) {
        self.name = name
        self.check = check
    }

    package var description: String { name }
}

/// Where a case plays: a runtime with `/bin/sh`, and an environment that nobody else uses.
package struct RuntimeStage: Sendable {
    package let runtime: any Runtime
    package let environment: EnvironmentID

    package init(runtime: any Runtime, environment: EnvironmentID) {
        self.runtime = runtime
        self.environment = environment
    }

    func shell(_ script: String, service: String = "main", generation: Int = 1) -> Workload {
        Workload(
            environment: environment, service: service, generation: generation, command: ["/bin/sh", "-c", script],
            workdir: "/", stopGraceSeconds: 5)
    }

    /// Waits until a service is in one of these states.
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

    func output(_ service: String = "main") async throws -> [String] {
        try await lines(LogQuery(services: [service])).filter { $0.stream == .stdout }.map(\.text)
    }
}

/// A driver does not do what the port promises.
package struct RuntimeRuleBroken: Error, CustomStringConvertible {
    package let description: String
}

func expect<T: Equatable>(
    _ found: T, is wanted: T, _ what: String, file: String = #fileID, line: Int = #line
) throws {
    guard found != wanted else { return }
    throw RuntimeRuleBroken(description: "\(file):\(line): \(what): found \(found), wanted \(wanted)")
}

func expect(_ holds: Bool, _ what: String, file: String = #fileID, line: Int = #line) throws {
    guard !holds else { return }
    throw RuntimeRuleBroken(description: "\(file):\(line): \(what)")
}
