import Blueprints
import EnvironmentGraph

/// Where everything lives that must survive: environments, revisions, executions with their checkpoints, ports,
/// secrets, audit entries. Knows records, not features.
///
/// A transaction is a synchronous closure on the store's own thread: all of it happens or nothing, reads see one state,
/// and what ``write(_:)`` returned from is on disk. Every driver passes the same conformance suite.
package protocol Store: Sendable {
    func read<T: Sendable>(_ body: @Sendable (any StoreReading) throws -> T) async throws -> T

    /// Write transactions run one after the other. When `body` throws, nothing of it remains and the error is rethrown.
    func write<T: Sendable>(_ body: @Sendable (any StoreWriting) throws -> T) async throws -> T
}

package protocol StoreReading {
    func environment(_ id: EnvironmentID) throws -> EnvironmentRecord?
    func environment(named name: String) throws -> EnvironmentRecord?
    /// Sorted by name; deleted ones are not there any more.
    func environments() throws -> [EnvironmentRecord]
    /// At most `limit` of these modes whose names come after `name`, sorted by name. Costs as much as it gives, however many
    /// there are.
    func environments(after name: String, modes: Set<EnvironmentMode>, limit: Int) throws -> [EnvironmentRecord]
    /// Of all that exist, without reading them.
    func names() throws -> [EnvironmentID: String]
    /// What is needed to watch over every environment, without reading what is wanted of each.
    func outlines() throws -> [EnvironmentOutline]
    func outline(of id: EnvironmentID) throws -> EnvironmentOutline?
    /// What grows whenever an environment is saved, by id: equal versions are equal records, also across transactions, as
    /// long as the store is open. Of all that exist, without reading them.
    func versions() throws -> [EnvironmentID: Int64]
    /// The overlays with this routing context, whatever they stand on, sorted by name. Costs as much as it gives.
    func overlays(withOverlayID id: String) throws -> [EnvironmentRecord]
    /// The services of environments' own that hold one of these claims, by claim, environment and service. Costs as much as it
    /// gives, however many environments there are.
    func holders(of claims: Set<String>) throws -> [ClaimHolder]
    /// Direct children, sorted by name.
    func children(of id: EnvironmentID) throws -> [EnvironmentRecord]
    func revision(_ number: Int, of id: EnvironmentID) throws -> RevisionRecord?
    /// The newest revision of every registered layer, by name.
    func layers() throws -> [LayerRecord]
    /// `nil` for the newest revision.
    func layer(_ name: String, revision: Int?) throws -> LayerRecord?
    /// Oldest first.
    func layerRevisions(of name: String) throws -> [LayerRecord]
    /// The highest number that a revision of it ever had, also of a deleted one; 0 where there was none.
    func lastLayerNumber(of name: String) throws -> Int
    /// Which revisions of environments are composed of any revision of it; by environment and number.
    func uses(ofLayer name: String) throws -> [LayerUse]
    /// From 1; without what is large in them (source, composed, files).
    func revisions(of id: EnvironmentID) throws -> [RevisionRecord]
    func execution(_ id: ExecutionID) throws -> ExecutionRecord?
    func step(_ key: String, of execution: ExecutionID) throws -> StepRecord?
    /// Oldest first.
    func executions(of id: EnvironmentID) throws -> [ExecutionRecord]
    func lastExecution(of id: EnvironmentID) throws -> ExecutionRecord?
    /// The last one as far as it is the execution's own: its steps are not read, and empty here.
    func lastExecutionWithoutSteps(of id: EnvironmentID) throws -> ExecutionRecord?
    func lastExecutionID(of id: EnvironmentID) throws -> ExecutionID?
    /// Every execution that is not final, oldest first.
    func unfinishedExecutions() throws -> [ExecutionRecord]
    /// How often the execution was claimed; `nil` where there is none.
    func epoch(of id: ExecutionID) throws -> Int?
    /// Oldest first: the first `limit` events after a sequence number, or the newest `limit` where `after` is `nil`.
    /// `nil` for every environment.
    func events(of id: EnvironmentID?, after: Int64?, limit: Int) throws -> [EventRecord]
    /// Of one environment or (`nil`) of all, those that were seen last first.
    func deviations(of id: EnvironmentID?) throws -> [DeviationRecord]
    /// Sorted by port.
    func ports(of id: EnvironmentID) throws -> [PortAssignment]
    /// What a port is given to; `nil` where it is free.
    func port(_ number: Int) throws -> PortAssignment?
    /// Every port that is given out.
    func portsInUse() throws -> Set<Int>
    func secrets(of id: EnvironmentID) throws -> [SealedSecret]
    func idempotentReply(_ key: String) throws -> IdempotentReply?
    /// Newest first.
    func audit(limit: Int) throws -> [AuditEntry]
    func setting(_ key: String) throws -> String?
    /// What was seen of calls, by ``ObservedCalls/scope``.
    func observedCalls(in scope: String) throws -> ObservedCalls?
    /// At most `limit`, sorted by scope.
    func observedCalls(ofLineage name: String, limit: Int) throws -> [ObservedCalls]
    /// Of all, sorted, without reading them.
    func observedScopes() throws -> [String]
}

package protocol StoreWriting: StoreReading {
    /// Inserts or replaces by id.
    /// - Throws: ``StoreError`` `.nameTaken` where another environment has the name.
    func save(_ environment: EnvironmentRecord) throws
    /// Removes the environment with its revisions, ports, secrets and deviations; its executions with their steps and
    /// its events stay readable.
    func removeEnvironment(_ id: EnvironmentID) throws
    func save(_ revision: RevisionRecord) throws
    /// - Throws: ``StoreError`` `.nameTaken` where the layer has a revision of this number, or ever had one.
    func save(_ layer: LayerRecord) throws
    /// Removes it with all its revisions.
    func removeLayer(_ name: String) throws
    /// Inserts or replaces the execution with all its steps.
    func save(_ execution: ExecutionRecord) throws
    /// Replaces one step, found by its key.
    func save(_ step: StepRecord, of execution: ExecutionID) throws
    /// Makes the caller the one who works on an execution: whoever claimed it before finds another epoch than its own
    /// and writes nothing any more (a fencing token).
    ///
    /// - Returns: the new epoch, from 1.
    func claim(_ execution: ExecutionID) throws -> Int
    /// Removes the oldest that have ended, so that `count` of the environment's executions are left.
    func removeExecutions(of id: EnvironmentID, keepingLast count: Int) throws
    /// The event's `sequence` is given here.
    func append(_ event: EventRecord) throws
    /// Inserts or replaces by environment, service and kind. The environment need not exist.
    func save(_ deviation: DeviationRecord) throws
    func removeDeviations(of id: EnvironmentID) throws
    func removePorts(of id: EnvironmentID, numbers: Set<Int>) throws
    /// - Throws: ``StoreError`` `.portTaken`.
    func save(_ port: PortAssignment) throws
    func removePorts(of id: EnvironmentID) throws
    func save(_ secret: SealedSecret) throws
    func removeSecrets(of id: EnvironmentID) throws
    func save(_ reply: IdempotentReply) throws
    /// Forgets replies that are older than `time` (milliseconds since 1970).
    func removeIdempotentReplies(before time: Int64) throws
    func append(_ entry: AuditEntry) throws
    func set(_ key: String, to value: String?) throws
    /// Inserts or replaces by scope. An environment of that id need not exist.
    func save(_ observed: ObservedCalls) throws
    func removeObservedCalls(in scope: String) throws
}
