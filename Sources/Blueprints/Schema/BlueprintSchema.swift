extension Blueprint {
    /// The JSON Schema (2020-12) of Blueprint files, overlays included, made from ``Grammar``. Ends with a line break.
    ///
    /// It accepts every file that the checkers accept: where an overlay may leave something out, it may be left out, and
    /// every field may be `null`, which removes the parent's. <https://json-schema.org/draft/2020-12>
    package static func schema() -> String { BlueprintSchema().rendered() }
}

struct BlueprintSchema {
    static let address = "urn:microstax:blueprint"

    func rendered() -> String {
        var definitions: [String: SchemaText] = [:]
        collect(Grammar.root, into: &definitions)
        definitions[Grammar.root.name] = nil
        var head: [(String, SchemaText)] = [
            ("$schema", .text("https://json-schema.org/draft/2020-12/schema")), ("$id", .text(Self.address)),
            ("title", .text("MicroStax Blueprint")),
        ]
        head += fields(of: Grammar.root)
        head.append(("$defs", .map(definitions.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })))
        return SchemaText.map(head).rendered() + "\n"
    }

    private func collect(_ map: GrammarMap, into definitions: inout [String: SchemaText]) {
        guard definitions[map.name] == nil else { return }
        definitions[map.name] = .map(fields(of: map))
        for field in map.fields { for inner in Self.maps(in: field.shape) { collect(inner, into: &definitions) } }
    }

    /// The maps with known keys that a value of the shape may have at once inside.
    static func maps(in shape: GrammarShape) -> [GrammarMap] {
        switch shape {
        case .text, .choice, .boolean, .whole, .number, .anyMap: []
        case .list(let item), .map(let item): maps(in: item)
        case .fields(let map): [map]
        case .named(let map, let text, _): [map] + (text.map(maps) ?? [])
        case .oneOf(let shapes): shapes.flatMap(maps)
        }
    }

    /// The name of a named thing may be the key that it stands under, so only lists require it.
    private func fields(of map: GrammarMap) -> [(String, SchemaText)] {
        let required = map.fields.filter { $0.isRequired && !map.isNamedThing }
        var result: [(String, SchemaText)] = [
            ("description", .text(map.about)), ("type", .text("object")),
            ("properties", .map(map.fields.map { ($0.name, property($0)) })),
        ]
        if !required.isEmpty { result.append(("required", .list(required.map { .text($0.name) }))) }
        result.append(("additionalProperties", .truth(false)))
        return result
    }

    private func property(_ field: GrammarField) -> SchemaText {
        var entries: [(String, SchemaText)] = [("description", .text(field.about))]
        if let usual = field.usual { entries.append(("default", .written(usual))) }
        if case .text(_, let examples) = field.shape, !examples.isEmpty {
            entries.append(("examples", .list(examples.map(SchemaText.text))))
        }
        entries.append(("anyOf", .list(alternatives(field.shape) + [.map([("type", .text("null"))])])))
        return .map(entries)
    }

    private func schema(_ shape: GrammarShape) -> SchemaText {
        let all = alternatives(shape)
        return all.count == 1 ? all[0] : .map([("anyOf", .list(all))])
    }

    private func alternatives(_ shape: GrammarShape) -> [SchemaText] {
        switch shape {
        case .text(nil, _): return [.map([("type", .list([.text("string"), .text("number"), .text("boolean")]))])]
        // Numbers and truth values are text as they are written; a pattern is asked of text only.
        case .text(let pattern?, _):
            return [
                .map([
                    ("type", .list([.text("string"), .text("number"), .text("boolean")])), ("pattern", .text(pattern)),
                ])
            ]
        case .choice(let all): return [.map([("enum", .list(all.map(SchemaText.text)))])]
        case .boolean: return [.map([("type", .text("boolean"))])]
        case .whole(let range):
            return [
                .map([
                    ("type", .text("integer")), ("minimum", .written("\(range.lowerBound)")),
                    ("maximum", .written("\(range.upperBound)")),
                ]),
                .map([
                    ("type", .text("string")), ("pattern", .text("^([+-]?[0-9]+|0x[0-9A-Fa-f]+|0o[0-7]+)$")),
                ]),
            ]
        case .number(let range):
            return [
                .map([
                    ("type", .text("number")), ("minimum", .number(range.lowerBound)),
                    ("maximum", .number(range.upperBound)),
                ])
            ]
        case .list(let item):
            return [.map([("type", .text("array")), ("items", schema(item)), ("maxItems", .written("1000"))])]
        case .map(let value):
            return [
                .map([
                    ("type", .text("object")),
                    ("additionalProperties", .map([("anyOf", .list(alternatives(value) + [null]))])),
                ])
            ]
        case .fields(let map): return [reference(map)]
        case .named(let map, let text, let asMap): return named(map, text, asMap)
        case .oneOf(let shapes): return shapes.flatMap(alternatives)
        case .anyMap: return [.map([("type", .text("object"))])]
        }
    }

    private var null: SchemaText { .map([("type", .text("null"))]) }

    private func reference(_ map: GrammarMap) -> SchemaText { .map([("$ref", .text("#/$defs/\(map.name)"))]) }

    private func named(_ map: GrammarMap, _ text: GrammarShape?, _ asMap: Bool) -> [SchemaText] {
        let item: SchemaText =
            map.field("name")?.isRequired == true
            ? .map([("$ref", .text("#/$defs/\(map.name)")), ("required", .list([.text("name")]))]) : reference(map)
        let items = [item] + (text.map(alternatives) ?? [])
        var result: [SchemaText] = [
            .map([
                ("type", .text("array")), ("maxItems", .written("1000")),
                ("items", items.count == 1 ? items[0] : .map([("anyOf", .list(items))])),
            ])
        ]
        if asMap {
            result.append(
                .map([
                    ("type", .text("object")), ("propertyNames", .map([("pattern", .text(Grammar.namePattern))])),
                    ("additionalProperties", .map([("anyOf", .list([reference(map), null]))])),
                ]))
        }
        return result
    }
}
