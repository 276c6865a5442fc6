import EnvironmentGraph

/// Where a standalone gateway has its tables from: a control plane, wherever it runs.
package protocol TableSource: Sendable {
    /// For messages, such as `10.0.0.5:7070`.
    var name: String { get }

    /// What is newer than the table that `cursor` stands for. Waits a while where nothing is, and then says so.
    ///
    /// - Throws: anything that says, as a text, why there is no answer.
    func news(after cursor: String?) async throws -> TableNews
}

/// How a standalone gateway stands with its control plane.
package struct FollowingStatus: Sendable, Hashable, Codable {
    package var controlPlane: String
    /// RFC 3339, UTC, of its last answer; `nil`: none yet.
    package var heardAt: String?
    /// Why it was not heard the last time.
    package var problem: String?
    /// Why it does not know what the control plane's own gateway has seen of traces; `nil`: it does.
    package var tracesProblem: String?
}
