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
    }

    struct Parent: Sendable {
        var record: EnvironmentRecord
        /// As it was at the revision that is compared with.
        var spec: BlueprintSpec
        var document: BlueprintDocument
        /// What it stands on in turn.
        var ancestors: [EnvironmentRecord]
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
        return try await predicting(try prepared(request, composed), focus: request.focus)
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

    /// - Parameter parent: what it is composed over, given what the Blueprint says by itself.
    func compose(
        _ request: CreateRequest, mode wanted: EnvironmentMode?, over parent: (BlueprintSpec?) async throws -> Parent?
    ) async throws -> Composed {
        if request.profile != nil {
            throw APIProblem(.notSupportedYet, "not_supported_yet: profiles (`--profile`) are not built yet")
        }
        let read = Blueprint.read(Array(request.blueprint.utf8), file: request.file, folder: request.folder)
        guard let document = read.document else { throw Self.invalid(read.diagnostics) }
        let shelf = LayerShelf(box: vault.box, files: request.files)
        let stack = try await store.read { try shelf.stack(of: document, in: $0) }
        let sketch = Blueprint.check(stack, over: nil, mode: wanted)
        let parent = try await parent(sketch.spec)
        let checked = parent == nil ? sketch : Blueprint.check(stack, over: parent?.document, mode: wanted)
        let diagnostics = read.diagnostics + checked.diagnostics
        guard let spec = checked.spec, !diagnostics.contains(where: { $0.severity == .error }) else {
            throw Self.invalid(diagnostics)
        }
        let mode = wanted ?? spec.routing.mode ?? .isolated
        guard (mode == .overlay) == (parent != nil) else {
            throw APIProblem(
                .invalidRequest,
                mode == .overlay
                    ? "an overlay needs a parent" : "only an overlay has a parent, not one of mode \(mode.rawValue)",
                hint: mode == .overlay ? "name it with `--baseline <name>`" : "use `microstax overlay create`")
        }
        var files = request.files
        for case .initScript(_, let path) in Blueprint.referencedInputs(spec) where files[path] == nil {
            files[path] = stack.files[path]
        }
        return Composed(
            spec: spec, mode: mode, checked: checked, parent: parent, warnings: diagnostics, layers: stack.origins,
            files: files)
    }

    /// What stands against it: its name, its overlayId, the state of its parent.
    func check(_ prepared: Prepared, allow: Set<String>) async throws {
        try await store.read { try Self.check(prepared, allow: allow, in: $0) }
    }

    private static func check(_ prepared: Prepared, allow: Set<String>, in store: any StoreReading) throws {
        if let pin = prepared.record.parent {
            try checkParent(pin, prepared, allow: allow, in: store)
        }
        if let existing = try store.environment(named: prepared.record.name) {
            throw APIProblem(
                .nameTaken,
                "there is already an environment named \(existing.name) (\(existing.mode.rawValue), \(existing.state.rawValue))",
                hint: "choose another name, or `microstax env delete \(existing.name)` first")
        }
    }

    /// Stores all of it, or throws and leaves nothing.
    func commit(
        _ prepared: Prepared, allow: Set<String>, _ call: APICall, _ response: HTTPResponse
    ) async throws {
        let now = outside.now()
        let reply = IdempotentReply(response, call.idempotency, at: now)
        try await store.write { store in
            try Self.check(prepared, allow: allow, in: store)
            var (record, execution) = (prepared.record, prepared.execution)
            execution.actor = call.actor
            try store.save(record)
            try store.save(prepared.revision)
            for secret in prepared.secrets { try store.save(secret) }
            try store.accept(execution, of: &record, at: now)
            try store.audit(call.operation.rawValue, of: prepared.record.name, by: call.actor, at: now)
            if let reply { try store.save(reply) }
        }
    }

    // MARK: Deciding

    private func prepared(_ request: CreateRequest, _ composed: Composed) throws -> Prepared {
        let (spec, mode, parent) = (composed.spec, composed.mode, composed.parent)
        let concealed = vault.concealed(spec)
        let difference = Difference.between(request: concealed, parent: parent?.spec)
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
        let above = parent.map { [$0.record] + $0.ancestors } ?? []
        guard let lineage = Lineage(of: record, find: { id in above.first { $0.id == id } }) else {
            throw APIProblem(.internalError, "the lineage of \(spec.name) is broken")
        }
        return Prepared(
            record: record, revision: revision, execution: execution, secrets: secrets,
            warnings: composed.warnings.map { ErrorDetail($0) }, lineage: lineage)
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
        let place = "revision/\(record.id)/\(revision.number)"
        let composed = try vault.box.openText(revision.composed, for: place)
        return Parent(
            record: record, spec: record.spec, document: try Self.document(composed, of: record, revision.number),
            ancestors: ancestors)
    }

    /// A parent's stored document, whose values say from then on whose they are.
    static func document(
        _ text: String, of record: EnvironmentRecord, _ revision: Int
    ) throws -> BlueprintDocument {
        try JSONDecoder().decode(BlueprintDocument.self, from: Data(text.utf8))
            .attributed(to: SourceOrigin(.environment, record.name, revision: revision))
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
        guard let lineage = try Lineage(of: parent, find: { try store.environment($0) }) else {
            throw APIProblem(.internalError, "the lineage of \(parent.name) is broken")
        }
        let siblings = try prepared.record.overlayID.map { try store.overlays(withOverlayID: $0) } ?? []
        let taken = try siblings.first { sibling in
            try Lineage(of: sibling, find: { try store.environment($0) })?.root.id == lineage.root.id
        }
        if let taken {
            throw APIProblem(
                .nameTaken, "the overlayId \(taken.overlayID ?? "") belongs to \(taken.name) on \(lineage.root.name)",
                hint: "choose another routing.overlayId, or `microstax overlay delete \(taken.name)` first")
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
