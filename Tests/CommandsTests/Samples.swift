import API

/// Environments and executions as a server gives them.
enum Samples {
    static func environment(
        _ name: String = "shop", mode: String = "baseline", state: String = "running", services: [ServiceView] = [],
        message: String? = nil
    ) -> EnvironmentView {
        EnvironmentView(
            id: "env-abcdefghij", name: name, mode: mode, state: state, revision: 3,
            overlayId: mode == "overlay" ? name : nil,
            parent: mode == "overlay"
                ? .init(id: "env-parent", name: "shop", revision: 3, latestRevision: 5) : nil,
            labels: ["team": "payments"], createdAt: "2026-11-20T19:00:00.000Z",
            updatedAt: "2026-11-20T19:01:00.000Z", services: services,
            endpoints: [
                EndpointView(
                    service: "storefront", url: "http://127.0.0.1:41001/",
                    hostUrl: "http://storefront.\(name).localhost:7080/")
            ], message: message, execution: "exe-1")
    }

    static func service(
        _ name: String, kind: String = "local", state: String = "ready", message: String? = nil
    ) -> ServiceView {
        ServiceView(
            name: name, provider: ProviderView(kind: kind, environment: "shop", revision: 3), state: state,
            replicas: .init(ready: state == "ready" ? 1 : 0, desired: 1), restarts: 0, message: message)
    }

    static func step(
        _ key: String, _ state: String, from start: String? = nil, to end: String? = nil, message: String? = nil,
        error: String? = nil
    ) -> StepView {
        StepView(
            key: key, title: "does \(key)", state: state, attempt: state == "pending" ? 0 : 1, reason: "because",
            startedAt: start.map { "2026-11-20T19:00:\($0)Z" }, finishedAt: end.map { "2026-11-20T19:00:\($0)Z" },
            message: message, error: error)
    }

    static func event(
        _ state: String, environment: EnvironmentView? = nil, kind: String = "create", id: String = "exe-1",
        _ steps: [StepView]
    ) -> EventView {
        EventView(
            environment: environment ?? Samples.environment(state: state == "succeeded" ? "running" : "provisioning"),
            execution: ExecutionView(id: id, environment: "env-abcdefghij", kind: kind, state: state, steps: steps))
    }

    /// 19:00:05 on that day.
    static let fiveSeconds: Int64 = 1_795_201_205_000
}
