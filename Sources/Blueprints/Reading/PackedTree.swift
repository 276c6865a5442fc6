/// The stored form of a ``BlueprintDocument``: files are written once and nodes name them by number.
struct PackedTree: Codable {
    struct Node: Codable {
        /// File (by number), line, column.
        var at: [Int]
        var scalar: String?
        var kind: LocatedValue.ScalarKind?
        var items: [Node]?
        var keys: [Key]?
        var overrode: [Old]?
        var replaces: Bool?
        var filled: LocatedValue.FilledIn?
    }

    struct Key: Codable {
        var key: String
        var at: [Int]
        var value: Node
    }

    struct Old: Codable {
        var text: String
        var at: [Int]
        /// `nil` for a value.
        var kind: LocatedValue.Overridden.Kind?
        var filled: LocatedValue.FilledIn?
    }

    struct Gone: Codable {
        var path: [String]
        var at: [Int]
        var isNull: Bool?
        var overrode: [Old]
    }

    var files: [SourceFile] = []
    var root: Node
    /// `nil` for none.
    var removals: [Gone]?

    init(_ document: BlueprintDocument) {
        var packing = Packing()
        root = packing.node(document.value)
        if !document.removals.isEmpty { removals = document.removals.map { packing.gone($0) } }
        files = packing.files
    }

    func unpacked() throws -> BlueprintDocument {
        BlueprintDocument(
            value: try value(root),
            removals: try (removals ?? []).map { gone in
                .init(
                    path: gone.path, location: try location(gone.at), isNull: gone.isNull ?? false,
                    overrode: try overridden(gone.overrode))
            })
    }

    private func value(_ node: Node) throws -> LocatedValue {
        let content: LocatedValue.Content
        if let text = node.scalar {
            content = .scalar(text, node.kind ?? .text)
        } else if let items = node.items {
            content = .sequence(try items.map(value))
        } else if let keys = node.keys {
            content = .mapping(
                try keys.map { .init(key: $0.key, location: try location($0.at), value: try self.value($0.value)) })
        } else {
            content = .null
        }
        var value = LocatedValue(content, at: try location(node.at))
        value.overrode = try overridden(node.overrode ?? [])
        value.replacesLower = node.replaces ?? false
        value.filledIn = node.filled
        return value
    }

    private func overridden(_ all: [Old]) throws -> [LocatedValue.Overridden] {
        try all.map { old in
            .init(text: old.text, location: try location(old.at), kind: old.kind ?? .value, filledIn: old.filled)
        }
    }

    private func location(_ at: [Int]) throws -> SourceLocation {
        guard at.count == 3, files.indices.contains(at[0]) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: [], debugDescription: "a stored Blueprint names a file that it does not list"))
        }
        return SourceLocation(file: files[at[0]], line: at[1], column: at[2])
    }
}

/// Numbers the files of a tree as it is packed.
private struct Packing {
    var files: [SourceFile] = []
    private var numbers: [SourceFile: Int] = [:]

    mutating func node(_ value: LocatedValue) -> PackedTree.Node {
        var node = PackedTree.Node(at: at(value.location))
        switch value.content {
        case .null: break
        case .scalar(let text, let kind):
            node.scalar = text
            node.kind = kind == .text ? nil : kind
        case .sequence(let items):
            node.items = items.map { self.node($0) }
        case .mapping(let entries):
            node.keys = entries.map { .init(key: $0.key, at: at($0.location), value: self.node($0.value)) }
        }
        if !value.overrode.isEmpty { node.overrode = overridden(value.overrode) }
        if value.replacesLower { node.replaces = true }
        node.filled = value.filledIn
        return node
    }

    mutating func gone(_ removal: BlueprintDocument.Removal) -> PackedTree.Gone {
        .init(
            path: removal.path, at: at(removal.location), isNull: removal.isNull ? true : nil,
            overrode: overridden(removal.overrode))
    }

    private mutating func overridden(_ all: [LocatedValue.Overridden]) -> [PackedTree.Old] {
        all.map { old in
            .init(
                text: old.text, at: at(old.location), kind: old.kind == .value ? nil : old.kind, filled: old.filledIn)
        }
    }

    private mutating func at(_ location: SourceLocation) -> [Int] {
        if let number = numbers[location.file] { return [number, location.line, location.column] }
        numbers[location.file] = files.count
        files.append(location.file)
        return [files.count - 1, location.line, location.column]
    }
}
