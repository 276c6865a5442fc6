import API
import APIClient

/// Reads what happens to an environment, and goes on after the last that was shown when the connection broke.
struct HistoryFollowing: Sendable {
    let client: APIClient
    let environment: String
    /// Milliseconds since 1970.
    let since: Int64?
    let tail: Int
    /// Starts the local server where it does not run any more.
    var revive: (@Sendable () async throws -> Void)?

    func run(_ show: (HistoryView) throws -> Void) async throws {
        let clock = ContinuousClock()
        // After a rename or a deletion, the id still finds it.
        var place: (environment: String, sequence: Int64)?
        var lostAt: ContinuousClock.Instant?
        while true {
            do {
                let events = try await client.followedHistory(
                    of: place?.environment ?? environment, after: place?.sequence, since: place == nil ? since : nil,
                    limit: place == nil ? tail : nil)
                for try await event in events {
                    lostAt = nil
                    place = (event.environment, event.sequence)
                    try show(event)
                }
                return
            } catch let failure as ConnectionFailure {
                let now = clock.now
                let firstLost = lostAt ?? now
                guard place != nil, now - firstLost < Watch.patience else { throw failure }
                if lostAt != nil { try await revive?() }
                lostAt = firstLost
                try await clock.sleep(for: .milliseconds(200))
            }
        }
    }
}
