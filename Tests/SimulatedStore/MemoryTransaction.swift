import Blueprints
import EnvironmentGraph
import Storage

/// One transaction over its own copy of the tables.
final class MemoryTransaction: StoreWriting {
    var tables: Tables
    private let savings: Savings

    init(_ tables: Tables, _ savings: Savings) {
        self.tables = tables
        self.savings = savings
    }

    // MARK: Environments

    func environment(_ id: EnvironmentID) throws -> EnvironmentRecord? { tables.environments[id] }

    func environment(named name: String) throws -> EnvironmentRecord? {
        tables.environments.values.first { $0.name == name && $0.state != .deleted }
    }

    func environments() throws -> [EnvironmentRecord] {
        tables.environments.values.filter { $0.state != .deleted }.sorted { $0.name < $1.name }
    }

    func environments(after name: String, modes: Set<EnvironmentMode>, limit: Int) throws -> [EnvironmentRecord] {
        Array(try environments().filter { $0.name > name && modes.contains($0.mode) }.prefix(limit))
    }

    func outlines() throws -> [EnvironmentOutline] { try environments().map(Self.outline) }

    func outline(of id: EnvironmentID) throws -> EnvironmentOutline? {
        try environment(id).flatMap { $0.state == .deleted ? nil : Self.outline($0) }
    }

    func names() throws -> [EnvironmentID: String] {
        Dictionary(uniqueKeysWithValues: try environments().map { ($0.id, $0.name) })
    }

    func versions() throws -> [EnvironmentID: Int64] {
        tables.versions.filter { tables.environments[$0.key]?.state != .deleted }
    }

    private static func outline(_ record: EnvironmentRecord) -> EnvironmentOutline {
        EnvironmentOutline(id: record.id, state: record.state, wantedInstances: record.wantedInstances)
    }

    func overlays(withOverlayID id: String) throws -> [EnvironmentRecord] {
        try environments().filter { $0.mode == .overlay && $0.overlayID == id }
    }

    func holders(of claims: Set<String>) throws -> [ClaimHolder] {
        try environments().flatMap(ClaimHolder.holders).filter { claims.contains($0.claim) }.sorted()
    }

    func children(of id: EnvironmentID) throws -> [EnvironmentRecord] {
        try environments().filter { $0.parent?.id == id }
    }

    func save(_ environment: EnvironmentRecord) throws {
        if environment.state != .deleted, let other = try self.environment(named: environment.name),
            other.id != environment.id
        {
            throw StoreError(.nameTaken, "another environment has the name \(environment.name)")
        }
        tables.environments[environment.id] = environment
        tables.versions[environment.id] = savings.next()
    }

    func removeEnvironment(_ id: EnvironmentID) throws {
        tables.environments[id] = nil
        tables.versions[id] = nil
        tables.revisions[id] = nil
        tables.secrets[id] = nil
        try removePorts(of: id)
        try removeDeviations(of: id)
    }

    func revision(_ number: Int, of id: EnvironmentID) throws -> RevisionRecord? { tables.revisions[id]?[number] }

    func revisions(of id: EnvironmentID) throws -> [RevisionRecord] {
        (tables.revisions[id] ?? [:]).values.sorted { $0.number < $1.number }.map { revision in
            var brief = revision
            (brief.source, brief.composed, brief.files) = ("", "", [:])
            return brief
        }
    }

    func save(_ revision: RevisionRecord) throws {
        tables.revisions[revision.environment, default: [:]][revision.number] = revision
    }

    // MARK: Layers

    func layers() throws -> [LayerRecord] {
        try tables.layers.keys.sorted().compactMap { try layer($0, revision: nil) }
    }

    func layer(_ name: String, revision: Int?) throws -> LayerRecord? {
        guard let all = tables.layers[name], let number = revision ?? all.keys.max() else { return nil }
        return all[number]
    }

    func layerRevisions(of name: String) throws -> [LayerRecord] {
        (tables.layers[name] ?? [:]).values.sorted { $0.number < $1.number }
    }

    func lastLayerNumber(of name: String) throws -> Int { tables.layerNumbers[name] ?? 0 }

    func uses(ofLayer name: String) throws -> [LayerUse] {
        tables.revisions.values.flatMap(\.values).filter { revision in
            (revision.layers ?? []).contains { $0.kind == .layer && $0.name == name }
        }.map { LayerUse(environment: $0.environment, number: $0.number) }
            .sorted { ($0.environment.rawValue, $0.number) < ($1.environment.rawValue, $1.number) }
    }

    func save(_ layer: LayerRecord) throws {
        guard layer.number > (try lastLayerNumber(of: layer.name)) else {
            throw StoreError(.nameTaken, "the layer \(layer.name) has or had a revision \(layer.number)")
        }
        tables.layers[layer.name, default: [:]][layer.number] = layer
        tables.layerNumbers[layer.name] = layer.number
    }

    func removeLayer(_ name: String) throws { tables.layers[name] = nil }

    // MARK: Executions

    func execution(_ id: ExecutionID) throws -> ExecutionRecord? { tables.executions[id]?.record }

    func step(_ key: String, of execution: ExecutionID) throws -> StepRecord? {
        try self.execution(execution)?.steps.first { $0.plan.key == key }
    }

    func executions(of id: EnvironmentID) throws -> [ExecutionRecord] {
        tables.sortedExecutions.filter { $0.environment == id }
    }

    func lastExecution(of id: EnvironmentID) throws -> ExecutionRecord? { try executions(of: id).last }

    func lastExecutionWithoutSteps(of id: EnvironmentID) throws -> ExecutionRecord? {
        var last = try lastExecution(of: id)
        last?.steps = []
        return last
    }

    func lastExecutionID(of id: EnvironmentID) throws -> ExecutionID? { try lastExecution(of: id)?.id }

    func unfinishedExecutions() throws -> [ExecutionRecord] { tables.sortedExecutions.filter { !$0.state.isFinal } }

    func epoch(of id: ExecutionID) throws -> Int? { tables.executions[id]?.epoch }

    func save(_ execution: ExecutionRecord) throws {
        tables.sequence += 1
        var stored = tables.executions[execution.id] ?? Tables.Stored(record: execution, sequence: tables.sequence)
        stored.record = execution
        tables.executions[execution.id] = stored
    }

    func save(_ step: StepRecord, of execution: ExecutionID) throws {
        guard let index = tables.executions[execution]?.record.steps.firstIndex(where: { $0.plan.key == step.plan.key })
        else { throw StoreError(.ioError, "the execution \(execution) has no step \(step.plan.key) to replace") }
        tables.executions[execution]?.record.steps[index] = step
    }

    func claim(_ execution: ExecutionID) throws -> Int {
        guard let epoch = tables.executions[execution]?.epoch else {
            throw StoreError(.ioError, "there is no execution \(execution) to claim")
        }
        tables.executions[execution]?.epoch = epoch + 1
        return epoch + 1
    }

    func removeExecutions(of id: EnvironmentID, keepingLast count: Int) throws {
        for old in try executions(of: id).dropLast(count) where old.state.isFinal { tables.executions[old.id] = nil }
    }

    // MARK: History

    func events(of id: EnvironmentID?, after: Int64?, limit: Int) throws -> [EventRecord] {
        let all = tables.events.filter { (id == nil || $0.environment == id) && $0.sequence > after ?? 0 }
        return Array(after == nil ? all.suffix(limit) : all.prefix(limit))
    }

    func append(_ event: EventRecord) throws {
        var event = event
        event.sequence = (tables.events.last?.sequence ?? 0) + 1
        tables.events.append(event)
        guard event.sequence % 32 == 0 else { return }
        let own = tables.events.filter { $0.environment == event.environment }.count
        var excess = own - EventRecord.keptPerEnvironment
        guard excess > 0 else { return }
        tables.events.removeAll { old in
            guard old.environment == event.environment, excess > 0 else { return false }
            excess -= 1
            return true
        }
    }

    func deviations(of id: EnvironmentID?) throws -> [DeviationRecord] {
        func key(_ record: DeviationRecord) -> (Int64, String, String, String) {
            (-record.lastSeenAt, record.environment.rawValue, record.service ?? "", record.kind.rawValue)
        }
        return tables.deviations.filter { id == nil || $0.environment == id }.sorted { key($0) < key($1) }
    }

    func save(_ deviation: DeviationRecord) throws {
        tables.deviations.removeAll {
            $0.environment == deviation.environment && $0.service == deviation.service && $0.kind == deviation.kind
        }
        tables.deviations.append(deviation)
    }

    func removeDeviations(of id: EnvironmentID) throws { tables.deviations.removeAll { $0.environment == id } }

    func observedCalls(in scope: String) throws -> ObservedCalls? { tables.calls[scope] }

    func observedCalls(ofLineage name: String, limit: Int) throws -> [ObservedCalls] {
        Array(tables.calls.values.filter { $0.lineage == name }.sorted { $0.scope < $1.scope }.prefix(max(0, limit)))
    }

    func observedScopes() throws -> [String] { tables.calls.keys.sorted() }

    func save(_ observed: ObservedCalls) throws { tables.calls[observed.scope] = observed }

    func removeObservedCalls(in scope: String) throws { tables.calls[scope] = nil }

    // MARK: Resources

    func ports(of id: EnvironmentID) throws -> [PortAssignment] {
        tables.ports.values.filter { $0.environment == id }.sorted { $0.number < $1.number }
    }

    func port(_ number: Int) throws -> PortAssignment? { tables.ports[number] }

    func portsInUse() throws -> Set<Int> { Set(tables.ports.keys) }

    func save(_ port: PortAssignment) throws {
        let (id, purpose) = (port.environment, port.purpose)
        let before = tables.ports.values.first { $0.environment == id && $0.purpose == purpose }
        guard tables.ports[port.number] == nil || before?.number == port.number else {
            throw StoreError(.portTaken, "the port \(port.number) is given to something else")
        }
        if let before { tables.ports[before.number] = nil }
        tables.ports[port.number] = port
    }

    func removePorts(of id: EnvironmentID) throws {
        tables.ports = tables.ports.filter { $0.value.environment != id }
    }

    func removePorts(of id: EnvironmentID, numbers: Set<Int>) throws {
        tables.ports = tables.ports.filter { $0.value.environment != id || !numbers.contains($0.key) }
    }

    func secrets(of id: EnvironmentID) throws -> [SealedSecret] { tables.secrets[id] ?? [] }
    func removeSecrets(of id: EnvironmentID) throws { tables.secrets[id] = nil }

    func save(_ secret: SealedSecret) throws {
        var all = tables.secrets[secret.environment] ?? []
        all.removeAll { $0.service == secret.service && $0.name == secret.name }
        all.append(secret)
        tables.secrets[secret.environment] = all.sorted { ($0.service, $0.name) < ($1.service, $1.name) }
    }

    // MARK: Journal

    func idempotentReply(_ key: String) throws -> IdempotentReply? { tables.replies[key] }

    func save(_ reply: IdempotentReply) throws { tables.replies[reply.key] = reply }

    func removeIdempotentReplies(before time: Int64) throws {
        tables.replies = tables.replies.filter { $0.value.createdAt >= time }
    }

    func append(_ entry: AuditEntry) throws { tables.audit.append(entry) }

    func audit(limit: Int) throws -> [AuditEntry] { tables.audit.suffix(max(0, limit)).reversed() }

    func setting(_ key: String) throws -> String? { tables.settings[key] }

    func set(_ key: String, to value: String?) throws { tables.settings[key] = value }
}
