import API
import HTTPTransport
import Logging
import Orchestration
import Runtimes
import Storage

/// The API and the engine behind it over any store, runtime and routes, without a socket or a process: what ``Server``
/// serves, and what a simulation drives with requests as they would come from a client.
package struct ControlDesk: Sendable {
    package let orchestrator: Orchestrator
    /// Idleness, ttls and schedules; runs for as long as its `run()`.
    package let lifecycles: LifecycleKeeper
    /// What is seen of calls; runs for as long as its `run()`.
    package let calls: CallKeeper
    let handler: APIHandler

    /// - Parameter gateway: asked for its port and its counts; whoever owns it starts it.
    package init(
        store: any Store, runtime: any Runtime, routes: any RoutePublishing, board: StatusBoard,
        gateway: GatewayKeeper, box: SecretBox, ports: ClosedRange<Int>, region: String? = nil, outside: Outside,
        log: Logger,
        health: @escaping @Sendable () async -> HealthView
    ) {
        let vault = SecretVault(store: store, box: box)
        let actions = StepActions(
            store: store, runtime: runtime, routes: routes, secrets: vault, board: board,
            allocator: PortAllocator(range: ports, isFree: outside.isPortFree), outside: outside)
        orchestrator = Orchestrator(actions: actions, log: log)
        calls = CallKeeper(gateway: gateway, store: store, now: outside.now, log: log)
        let operations = EnvironmentOperations(
            store: store, runtime: runtime, board: board, orchestrator: orchestrator, vault: vault, gateway: gateway,
            outside: outside, calls: calls, region: region)
        lifecycles = LifecycleKeeper(
            store: store, board: board, activity: GatewayActivity(gateway: gateway, execs: operations.execs),
            acting: LifecycleActions(store: store, board: board, orchestrator: orchestrator, outside: outside),
            outside: outside, log: log)
        handler = APIHandler(operations: operations, store: store, outside: outside, health: health, log: log)
    }

    /// - Parameter actor: who asks, as authenticated.
    package func handle(_ request: HTTPRequest, actor: String) async -> HTTPResponse {
        await handler.handle(request, actor: actor)
    }
}
