/// Makes shapes of a document's schemas and numbers them, so that a pair of them is looked at once however often, and
/// however recursively, it is reached. Lives for one comparison, which shares it with the comparisons inside of it.
final class SchemaStore {
    let version: OpenAPIModel.Version
    private(set) var shapes: [SchemaShape] = []
    private var references: References
    private var known: [ObjectIdentifier: Int] = [:]
    private var knownParts: [[ObjectIdentifier]: Int] = [:]

    init(_ model: OpenAPIModel) {
        version = model.version
        references = References(root: model.root)
    }

    /// The shape of all these schemas together; of none: anything.
    func shape(of nodes: [Node], at spot: Spot) -> Int {
        if nodes.count == 1, let number = known[ObjectIdentifier(nodes[0])] { return number }
        let flat = flatten(nodes)
        let key = flat.parts.map { ObjectIdentifier($0) }
        let number: Int
        if let same = knownParts[key], flat.outside.isEmpty, !key.isEmpty {
            number = same
        } else {
            number = shapes.count
            shapes.append(shape(flat, at: nodes.first?.spot ?? spot))
            knownParts[key] = number
        }
        if nodes.count == 1 { known[ObjectIdentifier(nodes[0])] = number }
        return number
    }

    private struct Flat {
        var parts: [Node] = []
        var outside: [String] = []
        var saysNull = false
        var isNever = false
    }

    /// Follows references, `allOf`, and choices between one thing.
    private func flatten(_ nodes: [Node]) -> Flat {
        var flat = Flat()
        var open = Array(nodes.reversed())
        var seen: Set<ObjectIdentifier> = []
        while let node = open.popLast(), seen.count < ContractLimits.parts {
            guard seen.insert(ObjectIdentifier(node)).inserted else { continue }
            if node.isFalse { flat.isNever = true }
            guard node.isMapping else { continue }
            if let reference = node["$ref"]?.text {
                switch references.target(reference) {
                case .node(let target): open.append(target)
                case .elsewhere(let text), .nothing(let text): flat.outside.append(text)
                }
                // Before 3.1, what stands beside a reference is ignored.
                if version != .v31 { continue }
            }
            flat.parts.append(node)
            open += (node["allOf"]?.items ?? []).reversed()
            for keyword in ["oneOf", "anyOf"] {
                guard let group = node[keyword]?.items, !group.isEmpty else { continue }
                let others = group.filter { !isNull($0) }
                if others.count < group.count { flat.saysNull = true }
                if others.count == 1 { open.append(others[0]) }
            }
        }
        return flat
    }

    private func isNull(_ node: Node) -> Bool { node["type"]?.text == "null" || isNullList(node) }

    private func isNullList(_ node: Node) -> Bool {
        guard let items = node["type"]?.items, !items.isEmpty else { return false }
        return items.allSatisfy { $0.text == "null" }
    }

    private func shape(_ flat: Flat, at spot: Spot) -> SchemaShape {
        var shape = SchemaShape(spot: flat.parts.first?.spot ?? spot)
        shape.outside = flat.outside
        if flat.isNever { shape.types = [] }
        var isTyped = false
        for part in flat.parts {
            if let types = types(of: part) {
                shape.types.formIntersection(types)
                if let said = part.entry("type"), !isTyped { shape.typeSpot = said.spot }
                isTyped = true
            }
            read(part, into: &shape)
        }
        let saysNullable =
            version != .v31
            && flat.parts.contains { ($0["nullable"] ?? $0["x-nullable"])?.isTrue == true }
        // Next to alternatives without a type of its own, a schema is null only where it says so.
        let inherits = shape.types.contains(.null) && (isTyped || shape.groups.isEmpty)
        shape.isNullable = saysNullable || flat.saysNull || inherits
        return shape
    }

    /// `nil` where the schema says nothing about it. A schema without `type` is of the types whose keywords it uses.
    private func types(of node: Node) -> TypeSet? {
        if let type = node["type"] {
            if let text = type.text { return TypeSet(name: text) }
            if case .null = type.content { return .null }
            let all = type.items.compactMap { $0.text.flatMap(TypeSet.init(name:)) ?? ($0.isNullValue ? .null : nil) }
            return all.isEmpty ? nil : all.reduce(into: TypeSet()) { $0.formUnion($1) }
        }
        if node["properties"] != nil || node["additionalProperties"] != nil { return .object }
        if node["items"] != nil { return .array }
        guard let values = node["enum"]?.items, !values.isEmpty else { return nil }
        return values.reduce(into: TypeSet()) { $0.formUnion($1.jsonType) }
    }

    private func read(_ node: Node, into shape: inout SchemaShape) {
        for entry in node["properties"]?.entries ?? [] { shape.add(entry.value, as: entry.key, at: entry.spot) }
        for name in node["required"]?.items ?? [] {
            if let text = name.text { shape.require(text, at: name.spot) }
        }
        if let items = node["items"], !items.isSequence { shape.items.append(items) }
        if let additional = node["additionalProperties"] {
            if additional.isFalse {
                shape.additional = .closed(additional.spot)
            } else if additional.isMapping {
                if case .open = shape.additional { shape.additional = .nodes([additional]) }
            }
        }
        if let format = node["format"], let text = format.text, shape.format == nil {
            shape.format = (text, format.spot)
        }
        if let pattern = node["pattern"], let text = pattern.text, shape.pattern == nil {
            shape.pattern = (text, pattern.spot)
        }
        readValues(node, into: &shape)
        readBounds(node, into: &shape)
        for keyword in ["oneOf", "anyOf"] {
            guard let group = node.entry(keyword) else { continue }
            let kept = group.value.items.enumerated().filter { !isNull($0.element) }
            guard kept.count > 1 else { continue }
            shape.groups.append(
                .init(
                    keyword: keyword, alternatives: kept.map(\.element), indexes: kept.map(\.offset), spot: group.spot))
        }
    }

    private func readValues(_ node: Node, into shape: inout SchemaShape) {
        var values: [(value: String, spot: Spot)]?
        if let said = node["enum"] {
            values = said.items.compactMap { item in item.canonical().map { ($0, item.spot) } }
            shape.enumerationSpot = said.spot
        }
        if let constant = node["const"], version == .v31 {
            values = constant.canonical().map { [($0, constant.spot)] }
            shape.enumerationSpot = constant.spot
        }
        guard let values else { return }
        guard let before = shape.enumeration else {
            shape.enumeration = values
            return
        }
        let both = Set(values.map(\.value))
        shape.enumeration = before.filter { both.contains($0.value) }
    }

    private func readBounds(_ node: Node, into shape: inout SchemaShape) {
        for (keyword, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
            let said = node[keyword]
            let isExclusive = node[exclusive]?.isTrue == true
            if let said, let value = said.number {
                narrow(keyword, .init(value: value, isExclusive: isExclusive, spot: said.spot), in: &shape)
            }
            if let said = node[exclusive], let value = said.number {
                narrow(keyword, .init(value: value, isExclusive: true, spot: said.spot), in: &shape)
            }
        }
        for keyword in ["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"] {
            guard let said = node[keyword], let value = said.number else { continue }
            // Nothing is shorter than nothing.
            if value == 0, keyword.hasPrefix("min") { continue }
            narrow(keyword, .init(value: value, spot: said.spot), in: &shape)
        }
    }

    private func narrow(_ keyword: String, _ bound: SchemaShape.Bound, in shape: inout SchemaShape) {
        guard let before = shape.bounds[keyword] else {
            shape.bounds[keyword] = bound
            return
        }
        if bound.isNarrower(than: before, isLower: keyword.hasPrefix("min")) { shape.bounds[keyword] = bound }
    }
}

extension SchemaShape.Bound {
    func isNarrower(than other: Self, isLower: Bool) -> Bool {
        if value == other.value { return isExclusive && !other.isExclusive }
        return isLower ? value > other.value : value < other.value
    }
}

extension Node {
    fileprivate var isNullValue: Bool { if case .null = content { true } else { false } }

    fileprivate var jsonType: TypeSet {
        switch content {
        case .null: .null
        case .scalar(_, .text): .string
        case .scalar(_, .boolean): .boolean
        case .scalar(let text, .number): text.contains(".") ? .number : .integer
        case .sequence: .array
        case .mapping: .object
        }
    }
}
