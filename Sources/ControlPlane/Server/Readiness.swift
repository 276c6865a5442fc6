import API
import Storage

/// Whether the server can take work, part by part.
///
/// Anybody may ask, so what asking costs is bounded: an answer counts for a second, and those who ask meanwhile share it.
actor Readiness {
    private static let freshness = Duration.seconds(1)
    /// A table is on its way to the gateway for moments whenever something changes; longer than this, something is wrong.
    private static let patience = Duration.seconds(5)
    /// Written to see that the store can be written.
    private static let probe = "server.probe"

    private let store: any Store
    private let vitals: Vitals
    private let gateway: GatewayKeeper
    private let routes: RoutePublisher
    private let now: @Sendable () -> Int64
    private var last: (time: ContinuousClock.Instant, parts: [ReadyView.Part])?
    private var current: Task<[ReadyView.Part], Never>?
    private var behindSince: ContinuousClock.Instant?
    private var wasPublished = false
    private var hasTakenUp = false

    init(
        store: any Store, vitals: Vitals, gateway: GatewayKeeper, routes: RoutePublisher,
        now: @escaping @Sendable () -> Int64
    ) {
        self.store = store
        self.vitals = vitals
        self.gateway = gateway
        self.routes = routes
        self.now = now
    }

    /// The executions that an earlier server left are under way again.
    func tookUp() { hasTakenUp = true }

    func parts() async -> [ReadyView.Part] {
        if let last, ContinuousClock.now - last.time < Self.freshness { return last.parts }
        if let current { return await current.value }
        // Ends by itself; everybody who asks meanwhile waits for it.
        let task = Task { await self.look() }
        current = task
        let parts = await task.value
        last = (.now, parts)
        current = nil
        return parts
    }

    private func look() async -> [ReadyView.Part] {
        let version = await gateway.currentTableVersion()
        return [
            ReadyView.Part("store", await storeProblem()),
            ReadyView.Part("executions", hasTakenUp ? nil : "not taken up yet"),
            ReadyView.Part("gateway", version == nil ? "does not answer" : nil),
            ReadyView.Part("routes", await routesProblem(version)),
        ]
    }

    private func storeProblem() async -> String? {
        // A store that hangs would hang whoever asks.
        if vitals.silent(for: .seconds(15)).contains("store") { return "does not answer" }
        let time = now()
        do {
            try await store.write { try $0.set(Self.probe, to: "\(time)") }
            return nil
        } catch let error as StoreError {
            return "cannot be written (\(error.code.rawValue))"
        } catch {
            return "cannot be written"
        }
    }

    private func routesProblem(_ version: UInt64?) async -> String? {
        let wanted = await routes.publishedVersion()
        if let wanted, wanted == version {
            (behindSince, wasPublished) = (nil, true)
            return nil
        }
        let since = behindSince ?? .now
        behindSince = since
        guard !wasPublished || ContinuousClock.now - since > Self.patience else { return nil }
        guard let wanted else { return "not published" }
        return "table \(wanted) is published, the gateway routes by \(version.map { "\($0)" } ?? "an unknown one")"
    }
}
