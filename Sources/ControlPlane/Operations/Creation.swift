import API
import Blueprints
import EnvironmentGraph
import Foundation
import HTTPTransport
import Orchestration
import Storage

/// Creating an environment: from a person's Blueprint to one transaction that stores everything, or a refusal that
/// leaves nothing.
struct Creation: Sendable {
    let store: any Store
    let vault: SecretVault
    let outside: Outside
    /// See ``ConflictFinding/region``.
    var region: String?
    /// The services of a baseline's lineage that are known to forward no context, and how; nobody where it is not asked.
    var forgetful: @Sendable (EnvironmentID) async throws -> [String: String] = { _ in [:] }

    /// What was decided; nothing is stored yet.
    struct Prepared: Sendable {
        var record: EnvironmentRecord
        var revision: RevisionRecord
        var execution: ExecutionRecord
        var secrets: [SealedSecret]
        var warnings: [ErrorDetail]
        /// Self first; the record, then its ancestors.
        var lineage: Lineage
        /// `nil` until it is decided what of it starts.
        var prediction: Prediction?
        /// What stands against it is asked about this.
        var request: ConflictFinding.Request
    }

    struct Parent: Sendable {
        var record: EnvironmentRecord
        /// As it was at the revision that is compared with.
        var spec: BlueprintSpec
        var document: BlueprintDocument
        /// What it stands on in turn.
        var ancestors: [EnvironmentRecord]
        /// Its contracts, by path.
        var contracts: [String: String] = [:]
    }

    /// A Blueprint as it is wanted: composed over its parent, checked, without anything being decided about it.
    struct Composed: Sendable {
        /// With the literal values of its secrets.
        var spec: BlueprintSpec
        var mode: EnvironmentMode
        var checked: CheckedBlueprint
        var parent: Parent?
        var warnings: [Diagnostic]
        /// The registered layers in it, lowest first.
        var layers: [SourceOrigin] = []
        /// What the request and these layers carry along, as far as it is needed, by absolute path.
        var files: [String: String] = [:]
    }

    func prepare(_ request: CreateRequest, mode fixedMode: EnvironmentMode?, parent named: String?) async throws
        -> Prepared
    {
        let composed = try await composed(request, mode: fixedMode, parent: named)
        let carried = try await carried(composed.spec, composed.parent)
        return try await predicting(try prepared(request, composed, carrying: carried), focus: request.focus)
    }

    /// Over the parent that the request or the Blueprint names, as it is now.
    func composed(_ request: CreateRequest, mode fixedMode: EnvironmentMode?, parent named: String?) async throws
        -> Composed
    {
        let wanted = try Self.wantedMode(request, fixedMode)
        return try await compose(request, mode: wanted) { sketch in
            let name = try Self.parentName(named ?? request.parent, sketch?.routing.baselineId)
            return try await parent(name, wanted ?? sketch?.routing.mode ?? .isolated)
        }
    }

    /// `routing.carry`: what is known of the lineage's services.
    func carried(_ spec: BlueprintSpec, _ parent: Parent?) async throws -> [String: String] {
        guard spec.routing.carry == .auto, let parent else { return [:] }
        return try await forgetful(parent.ancestors.last?.id ?? parent.record.id)
    }

    /// - Parameters:
    ///   - layers: the revisions to take of registered layers that are named without one; the newest of the others.
    ///   - parent: what it is composed over, given what the Blueprint says by itself.
    func compose(
        _ request: CreateRequest, mode wanted: EnvironmentMode?, layers: [SourceOrigin] = [],
        over parent: (BlueprintSpec?) async throws -> Parent?
    ) async throws -> Composed {
        if request.profile != nil {
            throw APIProblem(.notSupportedYet, "not_supported_yet: profiles (`--profile`) are not built yet")
        }
        let read = Blueprint.read(Array(request.blueprint.utf8), file: request.file, folder: request.folder)
        guard let document = read.document else { throw Self.invalid(read.diagnostics) }
        var shelf = LayerShelf(box: vault.box, files: request.files)
        for layer in layers { shelf.pinned[layer.name] = layer.revision }
        let stack = try await store.read { [shelf] in try shelf.stack(of: document, in: $0) }
        let sketch = Blueprint.check(stack, over: nil, mode: wanted)
        let parent = try await parent(sketch.spec)
        let checked = parent == nil ? sketch : Blueprint.check(stack, over: parent?.document, mode: wanted)
        let sent = ContractFinding(files: request.files.merging(stack.files) { $1 }, filesBefore: [:])
        let diagnostics = read.diagnostics + checked.diagnostics + (checked.spec.map(sent.problems) ?? [])
        guard var spec = checked.spec, !diagnostics.contains(where: { $0.severity == .error }) else {
            throw Self.invalid(diagnostics)
        }
        if request.carry { spec.routing.carry = .auto }
        let mode = wanted ?? spec.routing.mode ?? .isolated
        // Said or not, it is the same.
        spec.routing.mode = mode
        guard (mode == .overlay) == (parent != nil) else {
            throw APIProblem(
                .invalidRequest,
                mode == .overlay
                    ? "an overlay needs a parent" : "only an overlay has a parent, not one of mode \(mode.rawValue)",
                hint: mode == .overlay ? "name it with `--baseline <name>`" : "use `microstax overlay create`")
        }
        var files = request.files
        for input in Blueprint.referencedInputs(spec) {
            let path: String
            switch input {
            case .initScript(_, let script): path = script
            case .contract(_, let document): path = document
            case .secretFile, .secretVariable: continue
            }
            guard files[path] == nil else { continue }
            files[path] = stack.files[path]
        }
        return Composed(
            spec: spec, mode: mode, checked: checked, parent: parent, warnings: diagnostics, layers: stack.origins,
            files: files)
    }

    /// What stands against it: its name, the state of its parent, conflicts.
    ///
    /// - Returns: what is to be said all the same.
    func check(_ prepared: Prepared, allow: Set<String>) async throws -> [ErrorDetail] {
        try await store.read { try check(prepared, allow: allow, in: $0).warnings }
    }

    private func check(
        _ prepared: Prepared, allow: Set<String>, in store: any StoreReading
    ) throws -> (warnings: [ErrorDetail], accepted: [String]) {
        if let pin = prepared.record.parent {
            try Self.checkParent(pin, prepared, allow: allow, in: store)
        }
        if let existing = try store.environment(named: prepared.record.name) {
            throw APIProblem(
                .nameTaken,
                "there is already an environment named \(existing.name) (\(existing.mode.rawValue), \(existing.state.rawValue))",
                hint: "choose another name, or `microstax env delete \(existing.name)` first")
        }
        let found = try ConflictFinding(vault: vault, region: region).conflicts(prepared.request, in: store)
        return try ConflictFinding.decide(found, allow: allow, name: prepared.record.name)
    }

    /// Stores all of it, or throws and leaves nothing.
    func commit(
        _ prepared: Prepared, allow: Set<String>, _ call: APICall,
        _ reply: @Sendable ([ErrorDetail]) -> HTTPResponse
    ) async throws -> HTTPResponse {
        let now = outside.now()
        return try await store.write { store in
            let (warnings, accepted) = try check(prepared, allow: allow, in: store)
            let response = reply(warnings)
            var (record, execution) = (prepared.record, prepared.execution)
            execution.actor = call.actor
            try store.save(record)
            var revision = prepared.revision
            revision.actor = call.actor
            try store.save(revision)
            for secret in prepared.secrets { try store.save(secret) }
            try store.accept(execution, of: &record, at: now)
            try store.audit(
                call.operation.rawValue, of: prepared.record.name, by: call.actor, at: now, accepted: accepted)
            if let stored = IdempotentReply(response, call.idempotency, at: now) { try store.save(stored) }
            return response
        }
    }

    // MARK: Deciding

    private func prepared(
        _ request: CreateRequest, _ composed: Composed, carrying: [String: String]
    ) throws -> Prepared {
        let (spec, mode, parent) = (composed.spec, composed.mode, composed.parent)
        let concealed = vault.concealed(spec)
        let difference = Difference.between(request: concealed, parent: parent?.spec, carrying: carrying)
        let now = outside.now()
        let id = outside.environmentID()
        let pin = parent.map {
            EnvironmentRecord.ParentPin(id: $0.record.id, name: $0.record.name, revision: $0.record.revision)
        }
        var record = EnvironmentRecord(
            id: id, name: spec.name, mode: mode, spec: concealed, difference: difference,
            overlayID: mode == .overlay ? spec.routing.overlayId ?? spec.name : nil, parent: pin, createdAt: now)
        record.renewExpiry(now: now, isNew: true)
        var revision = try self.revision(1, of: id, request, composed, concealed, difference)
        let execution = ExecutionRecord(
            id: outside.executionID(), environment: id, kind: .create,
            steps: Planner.create(record).steps.map { StepRecord(plan: $0) }, createdAt: now)
        let secrets = try vault.sealed(
            spec, of: record, parent: parent?.spec, given: request.secrets, token: outside.token)
        revision.secrets = secrets
        revision.parent = pin
        let above = parent.map { [$0.record] + $0.ancestors } ?? []
        guard let lineage = Lineage(of: record, find: { id in above.first { $0.id == id } }) else {
            throw APIProblem(.internalError, "the lineage of \(spec.name) is broken")
        }
        return Prepared(
            record: record, revision: revision, execution: execution, secrets: secrets,
            warnings: composed.warnings.map { ErrorDetail($0) }, lineage: lineage,
            request: .init(
                record: record, document: composed.checked.composed, parent: parent?.spec,
                known: Self.contractConflicts(concealed, difference, composed.files, parent)))
    }

    /// Of what the environment runs itself, against its parent's.
    static func contractConflicts(
        _ spec: BlueprintSpec, _ difference: Difference, _ files: [String: String], _ parent: Parent?
    ) -> [Conflict] {
        guard let parent else { return [] }
        return ContractFinding(files: files, filesBefore: parent.contracts)
            .conflicts(spec, local: Set(difference.localNames), against: parent.spec, of: parent.record.id)
    }

    /// The contracts of a parent's services, wherever in its lineage they were named.
    func contracts(of spec: BlueprintSpec, _ revision: RevisionRecord, _ ancestors: [EnvironmentRecord]) async throws
        -> [String: String]
    {
        let paths = Set(spec.services.compactMap(\.contract))
        guard !paths.isEmpty else { return [:] }
        let above = try await store.read { store in
            try ancestors.compactMap { try store.revision($0.revision, of: $0.id) }
        }
        return try vault.files(of: [revision] + above, named: paths)
    }

    /// What a person sent, sealed under its number.
    func revision(
        _ number: Int, of id: EnvironmentID, _ request: CreateRequest, _ composed: Composed, _ concealed: BlueprintSpec,
        _ difference: Difference
    ) throws -> RevisionRecord {
        let document = String(decoding: try JSONEncoder().encode(composed.checked.composed), as: UTF8.self)
        let place = "revision/\(id)/\(number)"
        return RevisionRecord(
            environment: id, number: number, source: try vault.box.sealText(request.blueprint, for: place),
            composed: try vault.box.sealText(document, for: place),
            files: try composed.files.mapValues { try vault.box.sealText($0, for: place) }, createdAt: outside.now(),
            spec: concealed, difference: difference, layers: composed.layers.isEmpty ? nil : composed.layers)
    }

    private static func wantedMode(_ request: CreateRequest, _ fixed: EnvironmentMode?) throws -> EnvironmentMode? {
        if let fixed { return fixed }
        guard let text = request.mode else { return nil }
        guard let mode = EnvironmentMode(rawValue: text) else {
            throw APIProblem(.invalidRequest, "there is no mode \(text)", hint: "isolated, baseline or overlay")
        }
        return mode
    }

    /// A flag and the file must agree.
    static func parentName(_ flag: String?, _ file: String?) throws -> String? {
        if let flag, let file, flag != file {
            throw APIProblem(
                .invalidRequest, "the parent is \(flag) on the command line and \(file) in the Blueprint",
                hint: "make routing.baselineId and --baseline the same, or leave one out")
        }
        return flag ?? file
    }

    private func parent(_ named: String?, _ mode: EnvironmentMode) async throws -> Parent? {
        guard mode == .overlay, let named else { return nil }
        let (record, revision, ancestors, others) = try await store.read { store in
            let record = try store.environment(named: named) ?? store.environment(EnvironmentID(rawValue: named))
            let lineage = try record.flatMap { try Lineage(of: $0, find: { try store.environment($0) }) }
            let others =
                record == nil ? try store.environments(after: "", modes: [.baseline], limit: 10).map(\.name) : []
            let revision = try record.flatMap { try store.revision($0.revision, of: $0.id) }
            return (record, revision, Array(lineage?.environments.dropFirst() ?? []), others)
        }
        guard let record, let revision else {
            throw APIProblem(
                .notFound, "there is no baseline \(shortened(named))",
                hint: others.isEmpty
                    ? "create one: microstax baseline create --file <Blueprint> --wait"
                    : "there is: \(others.joined(separator: ", "))")
        }
        guard record.mode == .baseline || record.mode == .overlay else {
            throw APIProblem(
                .conflict, "\(record.name) is an environment of mode \(record.mode.rawValue) and has no overlays",
                hint: "only baselines and overlays can be parents")
        }
        return Parent(
            record: record, spec: record.spec, document: try vault.document(of: revision, as: record),
            ancestors: ancestors,
            contracts: try await contracts(of: record.spec, revision, ancestors))
    }

    /// Inside the transaction, so that nothing can change in between.
    private static func checkParent(
        _ pin: EnvironmentRecord.ParentPin, _ prepared: Prepared, allow: Set<String>, in store: any StoreReading
    ) throws {
        guard let parent = try store.environment(pin.id), parent.state != .deleting else {
            throw APIProblem(.conflict, "\(pin.name) is being deleted")
        }
        guard parent.revision == pin.revision else {
            throw APIProblem(.conflict, "\(pin.name) changed while this was being prepared", hint: "try again")
        }
        if parent.state != .running, !allow.contains("unhealthy-parent") {
            throw APIProblem(
                .unhealthyParent,
                "\(parent.name) is \(parent.state.rawValue)" + (parent.message.map { ": \($0)" } ?? ""),
                hint: "look at `microstax env status \(parent.name)`, or accept it with `--allow unhealthy-parent`")
        }
    }

    static func invalid(_ diagnostics: [Diagnostic]) -> APIProblem {
        let errors = diagnostics.count { $0.severity == .error }
        return APIProblem(
            .invalidBlueprint, "the Blueprint has \(errors) \(errors == 1 ? "problem" : "problems")",
            details: diagnostics.map { ErrorDetail($0) })
    }
}

/// A name for a message, cut where somebody sent a very long one.
func shortened(_ name: String) -> String {
    name.count > 80 ? "'\(name.prefix(77))…'" : "'\(name)'"
}

extension SecretBox {
    /// For columns of text: base64 of the sealed bytes.
    func sealText(_ text: String, for place: String) throws -> String {
        Data(try seal(text, for: place)).base64EncodedString()
    }

    func openText(_ sealed: String, for place: String) throws -> String {
        guard let bytes = Data(base64Encoded: sealed) else {
            throw StoreError(.corrupt, "the sealed text of \(place) is no base64")
        }
        return try open(Array(bytes), for: place)
    }
}
