import Blueprints
import EnvironmentGraph
import Gateway
import Runtimes
import Storage

/// The numbers of one service that an environment runs itself: for an exporter, which adds names and types to them.
package struct ServiceNumbers: Sendable, Hashable {
    package var environment: EnvironmentID
    package var environmentName: String
    package var mode: EnvironmentMode
    package var service: String
    /// Without rates.
    package var usage: WorkloadMetrics
    /// Requests to the service in this environment's context. nil where the gateway does not answer.
    package var requests: RequestTally.Requests?
    /// Requests that this copy answered, in whatever context.
    package var answered: UInt64?
}

/// Everything that runs, at once.
package struct AllNumbers: Sendable, Hashable {
    /// Sorted by environment's name and service.
    package var services: [ServiceNumbers]
    /// Since when the gateway counts, in milliseconds since 1970.
    package var requestsSince: Int64?
    /// Environments whose runtime did not answer.
    package var unreachable: [EnvironmentID]
}

/// Asks runtime and gateway for numbers; keeps nothing.
package struct NumbersReader: Sendable {
    /// How many environments are asked at the same time.
    private static let width = 8

    let store: any Store
    let runtime: any Runtime
    let gateway: GatewayKeeper

    package init(store: any Store, runtime: any Runtime, gateway: GatewayKeeper) {
        self.store = store
        self.runtime = runtime
        self.gateway = gateway
    }

    /// One question to the gateway, one transaction, and one question for each environment that runs something: a few
    /// milliseconds each, eight at a time, without waiting for rates. Ask every ten seconds rather than every second.
    package func everything() async throws -> AllNumbers {
        let running = try await store.read { try $0.environments() }.filter { record in
            ![.stopped, .deleted].contains(record.state) && !record.difference.localNames.isEmpty
        }
        // Usage is worth having without requests.
        let tally = try? await gateway.countSnapshot()
        let requests = tally.map { RequestTally($0) }
        var all = AllNumbers(services: [], requestsSince: requests?.since, unreachable: [])
        await withTaskGroup(of: (EnvironmentRecord, [WorkloadMetrics]?).self) { group in
            var waiting = running[...]
            func begin() {
                guard let record = waiting.popFirst() else { return }
                // One that does not answer is named as such.
                group.addTask { (record, try? await runtime.metrics(of: record.id, withRates: false)) }
            }
            for _ in 0..<Self.width { begin() }
            while let (record, found) = await group.next() {
                begin()
                guard let found else {
                    all.unreachable.append(record.id)
                    continue
                }
                all.services += found.map { usage in
                    ServiceNumbers(
                        environment: record.id, environmentName: record.name, mode: record.mode,
                        service: usage.service, usage: usage,
                        requests: requests?.requests(to: usage.service, in: record.id),
                        answered: requests?.answered(by: usage.service, of: record.id))
                }
            }
        }
        all.services.sort { ($0.environmentName, $0.service) < ($1.environmentName, $1.service) }
        all.unreachable.sort()
        return all
    }
}
