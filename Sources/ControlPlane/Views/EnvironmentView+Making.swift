import API
import Blueprints
import EnvironmentGraph
import Orchestration
import Runtimes
import Storage

/// Everything that a view of one environment is made from, read in one transaction.
struct EnvironmentPicture: Sendable {
    var record: EnvironmentRecord
    var lineage: Lineage
    var ports: [PortAssignment]
    var lastExecution: ExecutionID?

    /// - Throws: ``APIProblem`` where an ancestor is missing.
    init(_ record: EnvironmentRecord, in store: any StoreReading) throws {
        guard let lineage = try Lineage(of: record, find: { try store.environment($0) }) else {
            throw APIProblem(.internalError, "an ancestor of \(record.name) is missing in the store")
        }
        self.record = record
        self.lineage = lineage
        ports = try store.ports(of: record.id)
        lastExecution = try store.lastExecutionID(of: record.id)
    }
}

extension EnvironmentView {
    init(_ picture: EnvironmentPicture, board: StatusBoard, edgePort: Int?, isBrief: Bool = false) {
        self.init(
            picture.record, picture.lineage, board: board, edgePort: edgePort, ports: picture.ports,
            execution: picture.lastExecution?.rawValue, isBrief: isBrief)
    }

    /// Everything about one that was asked for by its name.
    static func whole(_ picture: EnvironmentPicture, board: StatusBoard, edgePort: Int?) -> EnvironmentView {
        var view = EnvironmentView(picture, board: board, edgePort: edgePort)
        view.fingerprints = FingerprintsView(
            graph: view.fingerprint ?? "",
            plan: Fingerprint(of: Planner.create(picture.record.asMade).canonicalForm).description,
            resolution: Fingerprint(of: picture.lineage.resolutionForm).description)
        return view
    }

    init(
        _ record: EnvironmentRecord, _ lineage: Lineage, board: StatusBoard, edgePort: Int?,
        ports: [PortAssignment] = [], execution: String? = nil, isBrief: Bool = false
    ) {
        let parent = lineage.environments.dropFirst().first
        self.init(
            id: record.id.rawValue, name: record.name, mode: record.mode.rawValue, state: record.state.rawValue,
            revision: record.revision, overlayId: record.overlayID,
            parent: record.parent.map { pin in
                Parent(
                    id: pin.id.rawValue, name: parent?.name ?? pin.name, revision: pin.revision,
                    latestRevision: parent?.revision ?? pin.revision)
            },
            labels: record.spec.labels, createdAt: timestamp(record.createdAt), updatedAt: timestamp(record.updatedAt),
            expiresAt: record.expiresAt.map(timestamp), protected: record.isProtected ? true : nil,
            services: lineage.services.map { ServiceView(lineage.resolve($0), lineage, board) },
            endpoints: Self.endpoints(record, lineage, ports, edgePort: edgePort), message: record.message,
            execution: execution, fingerprint: isBrief ? nil : Fingerprint(of: lineage.graphForm).description)
    }

    /// A count of the services in their place.
    mutating func summariseServices() {
        serviceCount = ServiceCount(own: services.count { $0.provider.kind == "local" }, all: services.count)
        services = []
    }

    private static func endpoints(
        _ record: EnvironmentRecord, _ lineage: Lineage, _ ports: [PortAssignment], edgePort: Int?
    ) -> [EndpointView] {
        ports.compactMap { assignment in
            guard case .address(caller: nil, let service, let portName) = assignment.purpose else { return nil }
            let isTCP = record.spec.service(service)?.ports.first { $0.name == portName }?.transport == .tcp
            let url = isTCP ? "tcp://127.0.0.1:\(assignment.number)" : "http://127.0.0.1:\(assignment.number)/"
            let host =
                record.overlayID.map { "\(service)--\($0).\(lineage.root.name)" } ?? "\(service).\(record.name)"
            let hostURL = isTCP ? url : "http://\(host).localhost:\(edgePort ?? 7080)/"
            return EndpointView(service: service, url: url, hostUrl: hostURL)
        }.sorted { $0.service < $1.service }
    }
}

extension ServiceView {
    init(_ resolution: Resolution, _ lineage: Lineage, _ board: StatusBoard) {
        let own = lineage.environments[0]
        guard let provider = resolution.provider else {
            self.init(
                name: resolution.service,
                provider: ProviderView(kind: "local", environment: own.name, revision: own.revision),
                state: "removed", replicas: Replicas(ready: 0, desired: 0), restarts: 0)
            return
        }
        let isLocal = provider.environment == own.id
        let home = lineage.environments.first { $0.id == provider.environment }
        let wanted = home?.spec.service(resolution.service)
        let isCold = wanted.map { home?.isCold($0) == true } ?? false
        let instances = isCold ? [] : wanted?.instances ?? [resolution.service]
        let statuses = instances.compactMap { board.status(of: $0, in: provider.environment) }
        // What stands worst says how the service is.
        let worst = statuses.first { $0.state != .ready } ?? statuses.first
        let idle =
            own.state == .stopped || (instances.isEmpty && !isCold) ? "stopped" : isCold ? "cold" : "pending"
        self.init(
            name: resolution.service, provider: ProviderView(provider),
            state: isLocal ? worst?.state.rawValue ?? idle : "inherited",
            replicas: Replicas(ready: statuses.count { $0.state == .ready }, desired: instances.count),
            restarts: statuses.map(\.restarts).reduce(0, +), message: worst?.message)
    }
}

extension ProviderView {
    init(_ provider: Resolution.Provider) {
        self.init(kind: provider.kind.rawValue, environment: provider.name, revision: provider.revision)
    }
}

extension ResolutionView {
    init(_ resolution: Resolution) {
        self.init(
            service: resolution.service, provider: resolution.provider.map { ProviderView($0) },
            candidates: resolution.candidates.map {
                Candidate(environment: $0.name, kind: $0.kind.rawValue, chosen: $0.chosen, why: $0.why)
            })
    }
}

extension DifferenceView {
    init(_ entry: Difference.Entry) {
        self.init(
            service: entry.service, kind: entry.kind.rawValue, reasons: entry.reasons,
            fields: entry.changes.map { FieldChangeView($0) })
    }
}

extension SpecDifferenceView {
    init(_ difference: FieldDifference) {
        self.init(
            services: difference.services.map { service in
                Service(
                    service: service.name, kind: service.kind.rawValue,
                    fields: service.changes.map { FieldChangeView($0) })
            }, environment: difference.own.map { FieldChangeView($0) })
    }
}

extension FieldChangeView {
    init(_ change: FieldChange) {
        let shown = change.shown
        self.init(path: change.path, old: shown.old, new: shown.new)
    }
}

extension ExplanationView {
    init(_ explanation: Explanation) {
        let hasPlace = !explanation.file.isEmpty
        self.init(
            path: explanation.path, value: explanation.removal == nil ? explanation.value : nil,
            layer: explanation.layer, file: hasPlace ? explanation.file : nil,
            line: hasPlace ? explanation.line : nil, column: hasPlace ? explanation.column : nil,
            reason: explanation.reason, removed: explanation.removal.map { $0.rawValue },
            overridden: explanation.overridden.map { old in
                Overridden(
                    value: old.kind == .value ? old.value : nil, layer: old.layer, file: old.file, line: old.line,
                    column: old.column, removed: old.kind == .removal ? true : nil)
            })
    }
}
