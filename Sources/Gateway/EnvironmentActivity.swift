import EnvironmentGraph

/// What one environment has to do with requests. `GET /activity` of the control socket gives these; who stops what is
/// idle lives by them.
///
/// A request touches every environment that it needs: the one whose address was used, the one whose context it is in,
/// and the one whose copy was found for it. So a baseline that answers for one of its overlays is not idle.
package struct EnvironmentActivity: Sendable, Hashable, Codable {
    package var environment: EnvironmentID
    /// When the last request ended or the last TCP connection began or ended, in milliseconds since 1970, UTC; a quarter
    /// of a second exact. nil: none since ``ActivitySnapshot/startedAt``, which is not "never".
    ///
    /// Worked out from a clock that only goes forward and stands still while the machine sleeps: setting the machine's
    /// time, or closing the laptop, makes nothing idle.
    package var lastRequestAt: Int64?
    /// Requests that are being answered, streams among them.
    package var openRequests: Int
    /// TCP connections that are open, also those that are still being made.
    package var openConnections: Int

    package init(environment: EnvironmentID, lastRequestAt: Int64?, openRequests: Int, openConnections: Int) {
        self.environment = environment
        self.lastRequestAt = lastRequestAt
        self.openRequests = openRequests
        self.openConnections = openConnections
    }
}

/// The activity of every environment that a gateway has seen any of. Others of its table are not listed.
///
/// A gateway forgets when it starts anew. So whoever looks for idleness asks ``quietSince(_:)``, and takes a gateway that
/// does not answer for one that is busy.
package struct ActivitySnapshot: Sendable, Hashable, Codable {
    /// When this gateway began to look, in milliseconds since 1970, UTC. Of what came before it knows nothing.
    package var startedAt: Int64
    /// When this was put together, by the same clock.
    package var now: Int64
    package var environments: [EnvironmentActivity]

    package init(startedAt: Int64, now: Int64, environments: [EnvironmentActivity]) {
        self.startedAt = startedAt
        self.now = now
        self.environments = environments
    }

    /// Takes in what another gateway saw: of what was before either of them began, nothing is known.
    mutating func join(_ other: ActivitySnapshot) {
        startedAt = max(startedAt, other.startedAt)
        now = max(now, other.now)
        var positions = Dictionary(environments.enumerated().map { ($1.environment, $0) }) { first, _ in first }
        for theirs in other.environments {
            guard let position = positions[theirs.environment] else {
                positions[theirs.environment] = environments.count
                environments.append(theirs)
                continue
            }
            environments[position].lastRequestAt = [environments[position].lastRequestAt, theirs.lastRequestAt]
                .compactMap { $0 }.max()
            environments[position].openRequests += theirs.openRequests
            environments[position].openConnections += theirs.openConnections
        }
    }

    /// Since when there has been no request and no open connection, in milliseconds since 1970, UTC; `nil` while there
    /// is one. Never earlier than the gateway's own start.
    package func quietSince(_ environment: EnvironmentID) -> Int64? {
        guard let activity = environments.first(where: { $0.environment == environment }) else { return startedAt }
        guard activity.openRequests == 0, activity.openConnections == 0 else { return nil }
        return max(startedAt, activity.lastRequestAt ?? startedAt)
    }
}
