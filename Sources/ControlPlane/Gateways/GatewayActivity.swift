import API
import EnvironmentGraph
import Gateway
import Orchestration

/// Who uses which environment, as the gateway and the sessions of this server say.
struct GatewayActivity: ActivitySource {
    let gateway: GatewayKeeper
    let execs: ExecSessions

    func activity() async throws -> ActivityReport {
        let snapshot: ActivitySnapshot
        do {
            snapshot = try await gateway.activity()
        } catch let problem as APIProblem {
            throw UnknownActivity(description: problem.error.message)
        }
        let report = ActivityReport(
            since: snapshot.startedAt,
            uses: snapshot.environments.reduce(into: [:]) { uses, activity in
                uses[activity.environment] = ActivityReport.Use(
                    lastAt: activity.lastRequestAt,
                    held: Self.held(activity.openRequests, activity.openConnections))
            })
        return execs.joined(to: report)
    }

    private static func held(_ requests: Int, _ connections: Int) -> String? {
        let parts = [counted(requests, "request"), counted(connections, "open connection")].compactMap { $0 }
        return parts.isEmpty ? nil : parts.joined(separator: " and ")
    }

    private static func counted(_ number: Int, _ noun: String) -> String? {
        number == 0 ? nil : "\(number) \(noun)\(number == 1 ? "" : "s")"
    }
}

/// Nobody can say who uses what just now.
struct UnknownActivity: Error, CustomStringConvertible {
    let description: String
}
