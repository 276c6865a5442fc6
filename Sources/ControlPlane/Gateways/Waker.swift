import EnvironmentGraph
import Gateway
import Logging
import Orchestration
import Storage

/// Starts what requests wait for: environments that sleep because nobody used them, or by their schedule, and services that
/// are started on demand.
///
/// It asks the gateway, which answers when something begins to wait, and whenever what is waited for was decided anew. So
/// nothing of it is stored: a server that was started anew asks again, and a gateway that was started anew has nobody
/// waiting. What stands on something that sleeps is woken after it.
struct Waker: Sendable {
    let gateway: GatewayKeeper
    let store: any Store
    let actions: LifecycleActions
    let log: Logger

    private static let pause = Duration.milliseconds(200)
    private static let pauseAfterError = Duration.seconds(1)

    /// What became of a wish.
    private enum Outcome {
        /// It is under way, or there is nothing to do.
        case done
        /// What it stands on must be awake first.
        case later
    }

    /// Until cancelled.
    func run() async {
        var number: UInt64?
        var refused: [EnvironmentID: String] = [:]
        while !Task.isCancelled {
            do {
                let reply = try await gateway.wanted(since: number)
                number = reply.number
                var isPending = false
                for (id, services) in Dictionary(grouping: reply.wanted, by: \.environment) {
                    do {
                        if try await wake(id, for: services.map(\.service)) == .later { isPending = true }
                        refused[id] = nil
                    } catch {
                        // Whoever waits is told by the gateway when its time is over.
                        guard refused.updateValue("\(error)", forKey: id) != "\(error)" else { continue }
                        log.warning("it cannot be woken", metadata: ["environment": "\(id)", "error": "\(error)"])
                    }
                }
                guard isPending else { continue }
                // Asked anew, without waiting for somebody else to want it.
                number = nil
                try await Task.sleep(for: Self.pause)
            } catch {
                // The gateway is kept by somebody else; it is asked again when it is there. Cancelled: the loop's end sees it.
                try? await Task.sleep(for: Self.pauseAfterError)
            }
        }
    }

    private func wake(_ id: EnvironmentID, for services: [String]) async throws -> Outcome {
        let names = services.sorted().joined(separator: ", ")
        let what = services.count == 1 ? "a request for \(names)" : "requests for \(names)"
        let (sleeper, isItself) = try await store.read { store -> (EnvironmentRecord?, Bool) in
            var record = try store.environment(id)
            guard record?.isAsleep == true else { return (nil, true) }
            var isItself = true
            // The farthest that is not awake comes first.
            while let pin = record?.parent, let parent = try store.environment(pin.id),
                ![.running, .degraded].contains(parent.state)
            {
                record = parent
                isItself = false
            }
            return (record, isItself)
        }
        // It is awake: what is asked for may be cold.
        guard let sleeper else { return try await actions.warm(Set(services), of: id, reason: what) ? .done : .later }
        guard sleeper.isAsleep else {
            // What it stands on is starting, or a person stopped it.
            guard sleeper.state.isTransient else {
                throw StepFailure("\(sleeper.name), which it stands on, is \(sleeper.state.rawValue)")
            }
            return .later
        }
        let why = isItself ? what : "\(what) of an overlay"
        try await actions.carryOut(.resume, on: sleeper.id, reason: why) { $0.isAsleep }
        return isItself ? .done : .later
    }
}
