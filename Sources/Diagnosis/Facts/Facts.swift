import Blueprints
import EnvironmentGraph

/// Everything that is known about one environment at the moment of asking.
package struct Facts: Sendable, Hashable {
    /// Milliseconds since 1970.
    package var now: Int64
    package var environment: EnvironmentRecord
    /// What it stands on, the parent first; empty for what stands alone.
    package var ancestors: [AncestorFacts]
    /// The services that it runs itself.
    package var services: [ServiceFacts]
    /// Oldest first.
    package var executions: [ExecutionRecord]
    /// The gateway's addresses that the environment's services were given.
    package var addresses: [AddressFact]
    package var gateway: GatewayFacts
    package var machine: MachineFacts
    /// Every listening TCP socket of the machine whose owner can be seen.
    package var sockets: [SocketFact]
    package var deviations: [DeviationFact]
    /// Why the runtime could not be asked, where it could not.
    package var runtimeProblem: String?

    package init(
        now: Int64, environment: EnvironmentRecord, ancestors: [AncestorFacts] = [], services: [ServiceFacts] = [],
        executions: [ExecutionRecord] = [], addresses: [AddressFact] = [], gateway: GatewayFacts = GatewayFacts(),
        machine: MachineFacts = MachineFacts(), sockets: [SocketFact] = [], deviations: [DeviationFact] = [],
        runtimeProblem: String? = nil
    ) {
        self.now = now
        self.environment = environment
        self.ancestors = ancestors
        self.services = services
        self.executions = executions
        self.addresses = addresses
        self.gateway = gateway
        self.machine = machine
        self.sockets = sockets
        self.deviations = deviations
        self.runtimeProblem = runtimeProblem
    }

    var name: String { environment.name }
    var spec: BlueprintSpec { environment.spec }

    package func service(_ name: String) -> ServiceFacts? { services.first { $0.name == name } }

    /// The last execution, where it failed and the environment is what it left.
    var failedExecution: ExecutionRecord? {
        guard environment.state == .error, let last = executions.last, last.state == .failed else { return nil }
        return last
    }

    /// A service's step that failed, in that execution.
    func failedStep(of service: String) -> StepRecord? {
        failedExecution?.steps.first { $0.state == .failed && $0.service == service }
    }

    /// What was looked at, for those who want to know why nothing was found.
    package var lookedAt: [String] {
        let lines = services.reduce(0) { $0 + $1.log.count }
        return [
            Self.count(services.count, "service"), Self.count(lines, "log line"),
            Self.count(executions.count, "execution"), Self.count(sockets.count, "listening socket"),
            Self.count(ancestors.count, "ancestor"), Self.count(deviations.count, "deviation"),
            "the gateway", "this machine's disk and limits",
        ].filter { !$0.hasPrefix("0 ") }
    }

    private static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}

extension StepRecord {
    /// The service that it is about.
    var service: String? {
        switch plan.action {
        case .startService(let name), .awaitService(let name), .stopService(let name), .initialise(let name, _): name
        default: nil
        }
    }
}
