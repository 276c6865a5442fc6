/// What is known of an environment at one moment: all that decides what happens to it by time. Times are milliseconds since
/// 1970, UTC.
package struct LifecycleFacts: Sendable, Hashable {
    /// What is known of its use.
    package enum Use: Sendable, Hashable {
        /// Nobody could be asked; why.
        case unknown(String)
        /// - Parameters:
        ///   - last: the last time that it was used; `nil` where that was before ``LifecycleFacts/knownSince``.
        ///   - held: what uses it just now, such as `2 open connections`.
        case known(last: Int64?, held: String?)
    }

    /// An environment beside it in its lineage.
    package struct Relative: Sendable, Hashable {
        package var name: String
        package var isAwake: Bool

        package init(name: String, isAwake: Bool) {
            self.name = name
            self.isAwake = isAwake
        }

        package init(_ record: EnvironmentRecord) {
            self.init(name: record.name, isAwake: record.state != .stopped)
        }
    }

    package var record: EnvironmentRecord
    /// `nil` for one that stands on nothing.
    package var parent: Relative?
    /// Those that stand on it directly, by name.
    package var overlays: [Relative]
    package var isExecuting: Bool
    /// When the last execution was asked for.
    package var lastCommandAt: Int64?
    /// When it ended.
    package var lastExecutionEndedAt: Int64?
    package var use: Use
    /// Since when its use was seen without a gap: neither the server nor the gateway was started anew.
    package var knownSince: Int64
    /// When the clock was last found to be further than the time that had passed: it was set forward, or the machine slept.
    package var clockJumpedAt: Int64?

    package init(
        record: EnvironmentRecord, parent: Relative? = nil, overlays: [Relative] = [], isExecuting: Bool = false,
        lastCommandAt: Int64? = nil, lastExecutionEndedAt: Int64? = nil, use: Use, knownSince: Int64,
        clockJumpedAt: Int64? = nil
    ) {
        self.record = record
        self.parent = parent
        self.overlays = overlays
        self.isExecuting = isExecuting
        self.lastCommandAt = lastCommandAt
        self.lastExecutionEndedAt = lastExecutionEndedAt
        self.use = use
        self.knownSince = knownSince
        self.clockJumpedAt = clockJumpedAt
    }
}
