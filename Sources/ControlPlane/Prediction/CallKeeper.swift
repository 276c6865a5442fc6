import Blueprints
import EnvironmentGraph
import Gateway
import Logging
import Storage

/// Keeps what the gateway sees of calls, so that it outlives the gateway, the server and the environments.
///
/// Asks for the gateway's counts once a minute and when somebody wants to know, and stores of them what is new, by the
/// environment in whose context the calls were. What a gateway told before is kept beside it, so that nothing is counted twice
/// whoever is started anew. See ``ObservedCalls`` for the bounds.
package actor CallKeeper {
    private let gateway: GatewayKeeper
    private let store: any Store
    private let now: @Sendable () -> Int64
    private let log: Logger
    /// The counts that were stored last, by the environment that they are of; what did not change is not looked up.
    private var stored: [EnvironmentID: [Pair: UInt64]] = [:]
    private var storedSince: Int64?
    private var gathering: Task<Void, any Error>?

    private struct Pair: Hashable, Sendable {
        var caller: String?
        var callee: String
    }

    private static let period = Duration.seconds(60)
    /// Every so many times what is left of environments that are gone is put together.
    private static let sweepEvery = 10

    init(gateway: GatewayKeeper, store: any Store, now: @escaping @Sendable () -> Int64, log: Logger) {
        self.gateway = gateway
        self.store = store
        self.now = now
        self.log = log
    }

    /// Until cancelled.
    package func run() async {
        var round = 0
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: Self.period)
                try await gather()
                if round % Self.sweepEvery == 0 { try await sweep() }
            } catch is CancellationError {
                return
            } catch {
                // The gateway is kept by somebody else; what it counted is there the next time.
                log.debug("calls were not gathered", metadata: ["error": "\(error)"])
            }
            round += 1
        }
    }

    /// Takes in what is new. Two at once are one.
    func gather() async throws {
        if let gathering { return try await gathering.value }
        // Ends by itself; whoever asks waits for it.
        let task = Task { try await self.takeIn() }
        gathering = task
        defer { gathering = nil }
        try await task.value
    }

    private func takeIn() async throws {
        let snapshot = try await gateway.countSnapshot()
        var totals: [EnvironmentID: [Pair: UInt64]] = [:]
        for call in snapshot.calls where !call.service.isEmpty {
            let scope = call.context ?? call.callerEnvironment
            let pair = Pair(caller: call.caller == "edge" ? nil : call.caller, callee: call.service)
            totals[scope, default: [:]][pair, default: 0] += call.count
        }
        if storedSince != snapshot.startedAt { stored = [:] }
        let changed = totals.filter { stored[$0.key] != $0.value }
        guard !changed.isEmpty else { return }
        let (time, since) = (now(), snapshot.startedAt)
        try await store.write { store in
            for (id, pairs) in changed {
                guard let record = try store.environment(id),
                    let lineage = try Lineage(of: record, find: { try store.environment($0) })
                else { continue }
                var observed =
                    try store.observedCalls(in: id.rawValue)
                    ?? ObservedCalls(scope: id.rawValue, lineage: lineage.root.name)
                let told = pairs.map { (caller: $0.key.caller, callee: $0.key.callee, count: $0.value) }
                if observed.take(told, countedSince: since, now: time) { try store.save(observed) }
            }
        }
        (stored, storedSince) = (totals, since)
    }

    /// What was seen of an environment that is gone goes to what is known of its lineage.
    func sweep() async throws {
        let time = now()
        try await store.write { store in
            let present = Set(try store.names().keys.map(\.rawValue))
            for scope in try store.observedScopes() where !present.contains(scope) {
                guard let gone = try store.observedCalls(in: scope) else { continue }
                let home = ObservedCalls.scope(ofGone: gone.lineage)
                var all = try store.observedCalls(in: home) ?? ObservedCalls(scope: home, lineage: gone.lineage)
                if scope == home { all.tidy(time) } else { all.add(gone, now: time) }
                try store.removeObservedCalls(in: scope)
                if !all.isEmpty { try store.save(all) }
            }
        }
    }
}

extension StoreReading {
    /// Scopes of one lineage that are put together at most.
    private static var scopesRead: Int { 200 }

    /// What was seen in a lineage; of an isolated environment that nothing was seen of, what was seen on the baseline that
    /// has most of its services, where that is at least half of them.
    func observedCalls(for lineage: Lineage, now: Int64) throws -> ObservedCalls? {
        if let own = try observed(ofLineage: lineage.root.name, now: now) { return own }
        guard lineage.root.mode == .isolated else { return nil }
        let names = Set(lineage.services)
        let baselines = try environments(after: "", modes: [.baseline], limit: 50).map { baseline in
            (name: baseline.name, common: names.intersection(baseline.spec.services.map(\.name)).count)
        }
        guard let best = baselines.filter({ $0.common * 2 >= names.count }).max(by: { $0.common < $1.common }) else {
            return nil
        }
        return try observed(ofLineage: best.name, now: now)
    }

    private func observed(ofLineage name: String, now: Int64) throws -> ObservedCalls? {
        let scopes = try observedCalls(ofLineage: name, limit: Self.scopesRead)
        guard !scopes.isEmpty else { return nil }
        var all = ObservedCalls(scope: ObservedCalls.scope(ofGone: name), lineage: name)
        for scope in scopes { all.add(scope, now: now) }
        return all.isEmpty ? nil : all
    }
}
