import TestSupport

@testable import Gateway

/// Runs a gateway as its program does, in this process, for as long as `body` runs. It is stopped by cancellation.
///
/// - Parameters:
///   - edgePort: 0 for any; nil: the usual one, or the next that is free.
///   - replaces: it takes over from the one that serves the folder.
func withGateway(
    _ folder: String, edgePort: Int? = 0, replaces: Bool = false, limits: GatewayLimits = GatewayLimits(),
    following source: (any TableSource)? = nil, change: (inout GatewayConfiguration) -> Void = { _ in },
    _ body: (GatewayControl, GatewayStatus) async throws -> Void
) async throws {
    let (ready, signal) = AsyncStream.makeStream(of: GatewayStatus.self)
    var configuration = GatewayConfiguration(
        folder: folder, edgePort: edgePort, loops: 2, productVersion: "1.2.3", limits: limits)
    configuration.replaces = replaces
    change(&configuration)
    let started = configuration
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            defer { signal.finish() }
            try await GatewayProcess.run(started, following: source) { signal.yield($0) }
        }
        guard let status = await ready.first(where: { _ in true }) else {
            try await group.waitForAll()
            throw NeverHappened(description: "the gateway ended before it was ready")
        }
        do {
            try await body(GatewayControl(folder: folder), status)
        } catch {
            group.cancelAll()
            throw error
        }
        group.cancelAll()
        try await group.waitForAll()
    }
}
