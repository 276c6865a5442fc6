import EnvironmentGraph

/// Who uses which environment. Times are milliseconds since 1970, UTC.
package struct ActivityReport: Sendable, Hashable {
    package struct Use: Sendable, Hashable {
        /// The last request to it, in its context, or answered by it, also one that is not through yet.
        package var lastAt: Int64?
        /// What uses it just now, for a person: `2 open connections`, `an exec`; `nil` where nothing does.
        package var held: String?

        package init(lastAt: Int64? = nil, held: String? = nil) {
            self.lastAt = lastAt
            self.held = held
        }

        /// Both.
        package func joined(_ other: Use) -> Use {
            let held = [held, other.held].compactMap { $0 }
            return Use(
                lastAt: [lastAt, other.lastAt].compactMap { $0 }.max(),
                held: held.isEmpty ? nil : held.joined(separator: ", "))
        }
    }

    /// Since when nothing escaped whoever counts: their start.
    package var since: Int64
    /// What is not here was not used since then.
    package var uses: [EnvironmentID: Use]

    package init(since: Int64, uses: [EnvironmentID: Use] = [:]) {
        self.since = since
        self.uses = uses
    }
}

/// Tells who uses which environment; asked rarely, for all of them at once.
package protocol ActivitySource: Sendable {
    /// - Throws: where that is not known just now, with an error whose description says why.
    func activity() async throws -> ActivityReport
}

/// What time does to environments, carried out like a person's command.
package protocol LifecycleActing: Sendable {
    /// - Parameters:
    ///   - reason: why, such as `idle for 30 min`; kept with the execution.
    ///   - holds: asked inside the transaction that begins it, of the record as it is then; where it says no, nothing happens.
    /// - Throws: where it is refused, with an error whose description says why.
    func carryOut(
        _ command: EnvironmentCommand, on id: EnvironmentID, reason: String,
        holds: @escaping @Sendable (EnvironmentRecord) -> Bool
    ) async throws
}
