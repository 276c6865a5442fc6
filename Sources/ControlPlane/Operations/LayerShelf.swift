import Blueprints
import Foundation
import Storage

/// Finds what a Blueprint extends: registered layers in the store, files among what the client sent.
struct LayerShelf: Sendable {
    let box: SecretBox
    /// Contents that the client sent, by absolute path.
    let files: [String: String]
    /// The revisions to take of layers that are named without one.
    var pinned: [String: Int] = [:]

    /// - Parameter layer: the name under which the document is to be registered; `nil` for a Blueprint.
    func stack(
        of document: BlueprintDocument, as layer: String? = nil, in store: any StoreReading
    ) throws -> LayerStack {
        try Blueprint.assemble(document, as: layer) { try find($0, in: store) }
    }

    private func find(_ mention: LayerMention, in store: any StoreReading) throws -> LayerAnswer {
        switch mention {
        case .registered(let name, let revision):
            guard let record = try store.layer(name, revision: revision ?? pinned[name]) else {
                return try absent(name, revision, in: store)
            }
            return .found(
                LayerText(
                    bytes: Array(try text(of: record).utf8), file: record.file, folder: record.folder,
                    revision: record.number, files: try files(of: record)))
        case .file(let path, let owner):
            var text = files[path]
            if let owner {
                text = try store.layer(owner.name, revision: owner.revision).flatMap { try files(of: $0)[path] }
            }
            guard let text else {
                return .absent(
                    code: "missing_file", message: "the file \(path) was not sent",
                    hint: "the request's `files` has its contents under this path")
            }
            return .found(LayerText(bytes: Array(text.utf8)))
        }
    }

    private func absent(_ name: String, _ revision: Int?, in store: any StoreReading) throws -> LayerAnswer {
        let known = try store.layerRevisions(of: name).map(\.number)
        if let revision, let newest = known.last {
            return .absent(
                code: "unknown_layer", message: "the layer `\(name)` has no revision \(revision)",
                hint: "its newest is \(newest): `microstax layer history \(name)`")
        }
        let names = try store.layers().map(\.name)
        return .absent(
            code: "unknown_layer", message: "there is no layer `\(name)`",
            hint: names.isEmpty
                ? "register it with `microstax layer apply --file <file>`; a path begins with ./"
                : "there is: \(names.prefix(10).joined(separator: ", ")); a path begins with ./")
    }

    // MARK: Records

    func text(of record: LayerRecord) throws -> String { try box.openText(record.source, for: Self.place(record)) }

    func files(of record: LayerRecord) throws -> [String: String] {
        try record.files.mapValues { try box.openText($0, for: Self.place(record)) }
    }

    /// With its texts sealed.
    func sealed(_ record: LayerRecord) throws -> LayerRecord {
        var record = record
        let place = Self.place(record)
        record.source = try box.sealText(record.source, for: place)
        record.files = try record.files.mapValues { try box.sealText($0, for: place) }
        return record
    }

    private static func place(_ record: LayerRecord) -> String { "layer/\(record.name)/\(record.number)" }
}
