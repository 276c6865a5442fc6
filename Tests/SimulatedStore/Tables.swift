import EnvironmentGraph
import Storage

/// What a ``MemoryStore`` holds: a value, so that a transaction is a copy that is kept or thrown away.
package struct Tables: Sendable {
    package internal(set) var environments: [EnvironmentID: EnvironmentRecord] = [:]
    package internal(set) var revisions: [EnvironmentID: [Int: RevisionRecord]] = [:]
    /// By name and number.
    package internal(set) var layers: [String: [Int: LayerRecord]] = [:]
    /// The highest number that a layer ever had.
    package internal(set) var layerNumbers: [String: Int] = [:]
    package internal(set) var executions: [ExecutionID: Stored] = [:]
    /// By number.
    package internal(set) var ports: [Int: PortAssignment] = [:]
    package internal(set) var secrets: [EnvironmentID: [SealedSecret]] = [:]
    package internal(set) var replies: [String: IdempotentReply] = [:]
    package internal(set) var audit: [AuditEntry] = []
    package internal(set) var settings: [String: String] = [:]
    package internal(set) var events: [EventRecord] = []
    package internal(set) var deviations: [DeviationRecord] = []
    /// By scope.
    package internal(set) var calls: [String: ObservedCalls] = [:]
    /// Of the environments, each the number of its last saving.
    package internal(set) var versions: [EnvironmentID: Int64] = [:]
    var sequence: Int64 = 0

    package struct Stored: Sendable {
        package var record: ExecutionRecord
        /// In the order of their first saving.
        var sequence: Int64
        package var epoch = 0
    }

    package init() {}

    /// Oldest first.
    package var sortedExecutions: [ExecutionRecord] {
        executions.values.sorted { ($0.record.createdAt, $0.sequence) < ($1.record.createdAt, $1.sequence) }
            .map(\.record)
    }
}
