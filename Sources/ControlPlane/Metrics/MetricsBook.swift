import API
import EnvironmentGraph
import Orchestration
import Synchronization

/// What is counted while the server works. Labels come from fixed sets only (operations, statuses, kinds), so there is an
/// upper limit to how much there can be.
final class MetricsBook: Sendable {
    struct Request: Hashable, Sendable {
        /// `none` for a path that is none of the API's.
        var operation: String
        var status: Int
    }

    struct Transaction: Hashable, Sendable {
        var kind: String
        var outcome: String
    }

    struct Step: Hashable, Sendable {
        var action: String
        var outcome: String
    }

    struct Counts: Sendable {
        var requests: [Request: UInt64] = [:]
        var requestTimes: [String: Histogram] = [:]
        var transactions: [Transaction: UInt64] = [:]
        var transactionTimes: [String: Histogram] = [:]
        var steps: [Step: Histogram] = [:]
        var events: [String: UInt64] = [:]
    }

    private static let requestBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
    private static let transactionBounds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1, 5]
    private static let stepBounds = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]

    private let state = Mutex(Counts())

    var counts: Counts { state.withLock { $0 } }

    func request(_ operation: API.Operation?, status: Int, seconds: Double) {
        let operation = operation?.rawValue ?? "none"
        state.withLock {
            $0.requests[Request(operation: operation, status: status), default: 0] += 1
            $0.requestTimes[operation, default: Histogram(bounds: Self.requestBounds)].observe(seconds)
        }
    }

    func transaction(_ kind: String, failed: Bool, seconds: Double) {
        state.withLock {
            $0.transactions[Transaction(kind: kind, outcome: failed ? "failed" : "done"), default: 0] += 1
            $0.transactionTimes[kind, default: Histogram(bounds: Self.transactionBounds)].observe(seconds)
        }
    }

    func engine(_ event: EngineEvent) {
        switch event {
        case .stepStored(let step):
            guard let started = step.startedAt, let finished = step.finishedAt else { return }
            let key = Step(action: step.plan.action.metricName, outcome: step.state.rawValue)
            state.withLock {
                $0.steps[key, default: Histogram(bounds: Self.stepBounds)].observe(
                    Double(max(0, finished - started)) / 1000)
            }
        case .looked: state.withLock { $0.events["look", default: 0] += 1 }
        case .appliedAgain: state.withLock { $0.events["applied_again", default: 0] += 1 }
        }
    }
}

extension PlannedStep.Action {
    /// Without what the step is about, of which there is no end.
    fileprivate var metricName: String {
        switch self {
        case .allocatePorts: "allocatePorts"
        case .publishRoutes: "publishRoutes"
        case .startService: "startService"
        case .awaitService: "awaitService"
        case .initialise: "initialise"
        case .openRoutes: "openRoutes"
        case .closeRoutes: "closeRoutes"
        case .stopService: "stopService"
        case .removeResources: "removeResources"
        case .releasePorts: "releasePorts"
        case .trimPorts: "trimPorts"
        case .discard: "discard"
        case .stopStrays: "stopStrays"
        }
    }
}
