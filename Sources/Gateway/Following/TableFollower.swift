import EnvironmentGraph
import Logging

/// Keeps a gateway at the newest table of a control plane: the whole table first, then deltas, and the whole one again wherever
/// a delta does not fit. Without an answer the gateway goes on with what it has.
struct TableFollower: Sendable {
    private struct Held {
        let cursor: String
        /// As the control plane gave it.
        let table: RoutingTable
    }

    private struct Misfit: Error, CustomStringConvertible {
        var description: String { "its delta is of another table; the whole one is asked for" }
    }

    private static let shortestPause = Duration.milliseconds(200)
    private static let longestPause = Duration.seconds(5)

    let source: any TableSource
    let desk: GatewayDesk
    /// Before a table is routed by, what others saw of traces is known.
    var sharing: TraceSharing?
    let logger: Logger

    /// Until cancelled.
    func run() async {
        var held: Held?
        var pause = Self.shortestPause
        while !Task.isCancelled {
            do {
                let news = try await source.news(after: held?.cursor)
                await desk.heard(nil)
                held = try await take(news, held)
                pause = Self.shortestPause
                // A control plane that has just started has none yet, and may not have waited.
                if held == nil { try await Task.sleep(for: Self.shortestPause) }
            } catch {
                guard !Task.isCancelled else { return }
                if error is Misfit { held = nil }
                await desk.heard("\(error)")
                // Many gateways must not all come back at once. Cancelled: the loop ends.
                try? await Task.sleep(for: pause * Double.random(in: 0.5...1))
                pause = min(pause * 2, Self.longestPause)
            }
        }
    }

    private func take(_ news: TableNews, _ held: Held?) async throws -> Held? {
        if let place = news.traces { await sharing?.share(with: place) }
        guard let cursor = news.cursor else { return nil }
        var newer = news.table
        if let delta = news.delta { newer = held?.table.applying(delta) }
        guard let newer else {
            // Nothing new; or something that can be made of nothing that is here.
            guard news.delta == nil, cursor == held?.cursor else { throw Misfit() }
            return held
        }
        await desk.take(newer)
        return Held(cursor: cursor, table: newer)
    }
}
