import API
import APIClient

/// Reads log lines, and with `follow` goes on where it was when the connection broke.
struct LogFollowing: Sendable {
    let client: APIClient
    let environment: String
    let services: [String]
    let follow: Bool
    /// Milliseconds since 1970.
    let since: Int64?
    let tail: Int?
    var previous = false
    /// Starts the local server where it does not run any more.
    var revive: (@Sendable () async throws -> Void)?

    /// - Returns: whether there was any.
    func run(_ show: (LogLineView) throws -> Void) async throws -> Bool {
        let clock = ContinuousClock()
        var place: Place?
        var lostAt: ContinuousClock.Instant?
        while true {
            do {
                var again = place?.shown ?? 0
                for try await line in try await lines(after: place) {
                    lostAt = nil
                    if again > 0, line.time == place?.time {
                        again -= 1
                        continue
                    }
                    again = 0
                    place = Place(after: line, place)
                    try show(line)
                }
                return place != nil
            } catch let failure as ConnectionFailure {
                let now = clock.now
                let firstLost = lostAt ?? now
                guard follow, place != nil, now - firstLost < Watch.patience else { throw failure }
                if lostAt != nil { try await revive?() }
                lostAt = firstLost
                try await clock.sleep(for: .milliseconds(200))
            }
        }
    }

    private func lines(after place: Place?) async throws -> ReplyStream<LogLineView> {
        try await client.logs(
            of: environment, services: services, follow: follow,
            since: place.flatMap { Timestamp.milliseconds($0.time) } ?? since, tail: place == nil ? tail : nil,
            previous: previous)
    }

    /// The last line that was shown: its time, and how many lines of that time.
    private struct Place {
        let time: String
        let shown: Int

        init(after line: LogLineView, _ last: Place?) {
            time = line.time
            shown = last?.time == line.time ? (last?.shown ?? 0) + 1 : 1
        }
    }
}
