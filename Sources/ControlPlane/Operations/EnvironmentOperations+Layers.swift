import API
import Blueprints
import EnvironmentGraph
import HTTPTransport
import Orchestration
import Storage

/// Registered layers, and what a Blueprint comes to with them.
extension EnvironmentOperations {
    /// Registers a layer, or a new revision of it where it says something else than the newest.
    ///
    /// - Parameter reply: makes the response, which is stored in the same transaction where the call has a key.
    func apply(
        _ request: LayerRequest, _ call: APICall, reply: @Sendable (AppliedLayerView) -> HTTPResponse
    ) async throws -> HTTPResponse {
        let shelf = LayerShelf(box: vault.box, files: request.files)
        let (record, diagnostics) = try await prepared(request, shelf, actor: call.actor)
        let warnings = diagnostics.map { ErrorDetail($0) }
        if request.dryRun {
            return try await store.read { store in
                let (record, isChanged) = try Self.numbered(record, shelf, in: store)
                return reply(AppliedLayerView(layer: LayerView(record), isChanged: isChanged, warnings: warnings))
            }
        }
        let now = outside.now()
        return try await store.write { store in
            let (record, isChanged) = try Self.numbered(record, shelf, in: store)
            if isChanged {
                try store.save(try shelf.sealed(record))
                try store.audit(call.operation.rawValue, of: "\(record.name)@\(record.number)", by: call.actor, at: now)
            }
            let response = reply(AppliedLayerView(layer: LayerView(record), isChanged: isChanged, warnings: warnings))
            if let stored = IdempotentReply(response, call.idempotency, at: now) { try store.save(stored) }
            return response
        }
    }

    /// What would be stored, with its texts as they are and without a number.
    private func prepared(
        _ request: LayerRequest, _ shelf: LayerShelf, actor: String
    ) async throws -> (LayerRecord, [Diagnostic]) {
        let read = Blueprint.read(Array(request.blueprint.utf8), file: request.file, folder: request.folder)
        guard let document = read.document else { throw Creation.invalid(read.diagnostics) }
        let name = document.value["name"]?.text ?? ""
        let stack = try await store.read { try shelf.stack(of: document, as: name, in: $0) }
        let checked = Blueprint.check(stack, isLayer: true)
        let diagnostics = read.diagnostics + checked.diagnostics
        guard let spec = checked.spec, !diagnostics.contains(where: { $0.severity == .error }) else {
            throw Creation.invalid(diagnostics)
        }
        for case .initScript(_, let path) in Blueprint.referencedInputs(spec)
        where request.files[path] == nil && stack.files[path] == nil {
            throw APIProblem(.invalidRequest, "the script \(path) was not sent")
        }
        let record = LayerRecord(
            name: name, number: 0, source: request.blueprint, file: request.file, folder: request.folder,
            files: request.files, extends: stack.registeredMentions,
            description: document.value["description"]?.text, createdAt: outside.now(), actor: actor)
        return (record, diagnostics)
    }

    /// The newest revision where it says the same, else the next one.
    private static func numbered(
        _ record: LayerRecord, _ shelf: LayerShelf, in store: any StoreReading
    ) throws -> (LayerRecord, isChanged: Bool) {
        if let newest = try store.layer(record.name, revision: nil) {
            let (text, files) = (try shelf.text(of: newest), try shelf.files(of: newest))
            let isSame = newest.folder == record.folder && text == record.source && files == record.files
            if isSame { return (newest, false) }
        }
        var record = record
        record.number = try store.lastLayerNumber(of: record.name) + 1
        return (record, true)
    }

    // MARK: Reading

    /// The newest revision of each, by name.
    func layers(limit: Int, cursor: String?) async throws -> (views: [LayerView], next: String?) {
        let all = try await store.read { try $0.layers() }.filter { $0.name > cursor ?? "" }
        let page = all.prefix(limit)
        return (page.map { LayerView($0) }, all.count > limit ? page.last?.name : nil)
    }

    /// - Parameter mention: a name, or `name@revision`.
    func layer(_ mention: String) async throws -> LayerView {
        let shelf = LayerShelf(box: vault.box, files: [:])
        return try await store.read { store in
            let record = try Self.layer(mention, in: store)
            var view = LayerView(record)
            let (text, files) = (try shelf.text(of: record), try shelf.files(of: record))
            view.blueprint = Self.shown(text, record)
            // Of what it names, only other layers are somebody else's to see.
            view.files = files.mapValues { _ in "" }
            let read = Blueprint.read(Array(text.utf8), file: record.file, folder: record.folder)
            if let document = read.document {
                _ = Blueprint.assemble(document) { mention in
                    guard case .file(let path, _) = mention, let text = files[path] else { return .elsewhere }
                    view.files?[path] = Self.shown(text, record)
                    return .found(LayerText(bytes: Array(text.utf8)))
                }
            }
            view.usedBy = try Self.users(of: record.name, in: store)
            return view
        }
    }

    /// A layer's text without literal secrets.
    private static func shown(_ text: String, _ record: LayerRecord) -> String {
        let read = Blueprint.read(Array(text.utf8), file: record.file, folder: record.folder)
        guard let document = read.document, document.hasLiteralSecrets else { return text }
        return "# Literal secrets are not shown, and the text is written anew.\n"
            + document.rendered(in: record.folder, isWhole: false)
    }

    func layerHistory(_ name: String) async throws -> [LayerView] {
        try await store.read { store in
            _ = try Self.layer(name, in: store)
            return try store.layerRevisions(of: name).map { LayerView($0) }
        }
    }

    private static func layer(_ mention: String, in store: any StoreReading) throws -> LayerRecord {
        let (name, revision) = LayerMention.registered(mention) ?? (mention, nil)
        if let record = try store.layer(name, revision: revision) { return record }
        if let newest = try store.layer(name, revision: nil) {
            throw APIProblem(
                .notFound, "the layer \(shortened(name)) has no revision \(revision ?? 0)",
                hint: "its newest is \(newest.number): `microstax layer history \(name)`")
        }
        let names = try store.layers().map(\.name)
        throw APIProblem(
            .notFound, "there is no layer \(shortened(name))",
            hint: names.isEmpty
                ? "register one: `microstax layer apply --file <file>`"
                : "there is: \(names.prefix(10).joined(separator: ", "))")
    }

    // MARK: Deleting

    /// The environments that are composed of it as they are wanted now, and the revisions of layers that extend it.
    private static func users(of name: String, in store: any StoreReading) throws -> [String] {
        let environments = try store.uses(ofLayer: name).compactMap { use -> String? in
            guard let record = try store.environment(use.environment), record.state != .deleted else { return nil }
            return record.revision == use.number ? record.name : nil
        }
        let layers = try store.layers().filter { $0.name != name }.flatMap { layer in
            try store.layerRevisions(of: layer.name).filter { revision in
                revision.extends.contains { LayerMention.registered($0)?.name == name }
            }.map { "\($0.name)@\($0.number)" }
        }
        return environments.sorted() + layers
    }

    func deleteLayer(
        _ name: String, dryRun: Bool, _ call: APICall, reply: @Sendable (LayerView) -> HTTPResponse
    ) async throws -> HTTPResponse {
        @Sendable func checked(_ store: any StoreReading) throws -> LayerRecord {
            let record = try Self.layer(name, in: store)
            guard record.name == name else {
                throw APIProblem(
                    .invalidRequest, "a layer is deleted with all its revisions",
                    hint: "microstax layer delete \(record.name)")
            }
            let users = try Self.users(of: name, in: store)
            guard users.isEmpty else {
                let more = users.count > 10 ? " and \(users.count - 10) more" : ""
                throw APIProblem(
                    .conflict, "the layer \(name) is used by \(users.prefix(10).joined(separator: ", "))\(more)",
                    hint: "update or delete these first; `microstax layer get \(name)` names them all",
                    details: users.map { ErrorDetail(message: $0) })
            }
            return record
        }
        if dryRun { return reply(LayerView(try await store.read { try checked($0) })) }
        let now = outside.now()
        return try await store.write { store in
            let record = try checked(store)
            try store.removeLayer(name)
            try store.audit(call.operation.rawValue, of: name, by: call.actor, at: now)
            return reply(LayerView(record))
        }
    }

    // MARK: Rendering

    /// What a Blueprint comes to; over its parent where the request or the Blueprint names one.
    func render(_ request: CreateRequest, provenance: Bool) async throws -> RenderedView {
        let creation = Creation(store: store, vault: vault, outside: outside)
        let composed = try await creation.composed(request, mode: nil, parent: nil)
        return RenderedView(
            blueprint: composed.checked.rendered(in: request.folder, showsProvenance: provenance),
            layers: composed.layers.map(\.description), warnings: composed.warnings.map { ErrorDetail($0) })
    }
}

extension LayerView {
    init(_ record: LayerRecord) {
        self.init(
            name: record.name, revision: record.number, description: record.description, extends: record.extends,
            file: record.file, folder: record.folder, createdAt: timestamp(record.createdAt), actor: record.actor)
    }
}
