/// JSON's types, as a schema allows them.
struct TypeSet: OptionSet, Sendable, Hashable {
    var rawValue: UInt8

    static let null = TypeSet(rawValue: 1)
    static let boolean = TypeSet(rawValue: 2)
    static let integer = TypeSet(rawValue: 4)
    /// Comes with `integer`: every integer is a number.
    static let number = TypeSet(rawValue: 12)
    static let string = TypeSet(rawValue: 16)
    static let array = TypeSet(rawValue: 32)
    static let object = TypeSet(rawValue: 64)
    static let any = TypeSet(rawValue: 127)

    init(rawValue: UInt8) { self.rawValue = rawValue }

    init?(name: String) {
        switch name {
        case "null": self = .null
        case "boolean": self = .boolean
        case "integer": self = .integer
        case "number": self = .number
        case "string": self = .string
        case "array": self = .array
        case "object": self = .object
        // Swagger 2.0.
        case "file": self = .string
        default: return nil
        }
    }

    /// For messages: `string`, `integer or string`, `anything`.
    var shown: String {
        let types = subtracting(.null)
        if types == TypeSet.any.subtracting(.null) { return "anything" }
        var names: [String] = []
        if types.contains(.number) {
            names.append("number")
        } else if types.contains(.integer) {
            names.append("integer")
        }
        for (type, name) in [
            (TypeSet.string, "string"), (.boolean, "boolean"), (.array, "array"), (.object, "object"),
        ] where types.contains(type) { names.append(name) }
        return names.isEmpty ? (contains(.null) ? "null" : "nothing") : names.joined(separator: " or ")
    }
}

/// What a schema says, its references and `allOf` brought together.
struct SchemaShape {
    struct Property {
        var name: String
        /// All of them apply.
        var nodes: [Node]
        var spot: Spot
        var isReadOnly = false
        var isWriteOnly = false
    }

    enum Additional {
        case open
        case closed(Spot)
        case nodes([Node])
    }

    /// A limit with the greater meaning the narrower, for lower limits, and the reverse for upper ones.
    struct Bound: Equatable {
        var value: Double
        var isExclusive = false
        var spot: Spot
    }

    struct Group {
        /// `oneOf` or `anyOf`.
        var keyword: String
        var alternatives: [Node]
        /// Of the alternatives, before those that say only `null` were left out.
        var indexes: [Int]
        var spot: Spot
    }

    var spot: Spot
    var types = TypeSet.any
    var typeSpot: Spot
    var isNullable = true
    var format: (text: String, spot: Spot)?
    /// Canonical value → where it stands, in the order written.
    var enumeration: [(value: String, spot: Spot)]?
    var enumerationSpot: Spot
    var properties: [Property] = []
    var required: [(name: String, spot: Spot)] = []
    var items: [Node] = []
    var additional = Additional.open
    /// Keyword (`minimum`, `maxLength`, …) → limit.
    var bounds: [String: Bound] = [:]
    var pattern: (text: String, spot: Spot)?
    var groups: [Group] = []
    /// References that are not followed, as written.
    var outside: [String] = []

    private(set) var names: [String: Int] = [:]
    private(set) var requiredNames: Set<String> = []

    init(spot: Spot) {
        self.spot = spot
        typeSpot = spot
        enumerationSpot = spot
    }

    func property(_ name: String) -> Property? { names[name].map { properties[$0] } }
    func isRequired(_ name: String) -> Bool { requiredNames.contains(name) }

    mutating func add(_ node: Node, as name: String, at spot: Spot) {
        let index: Int
        if let known = names[name] {
            index = known
        } else {
            index = properties.count
            names[name] = index
            properties.append(.init(name: name, nodes: [], spot: spot))
        }
        properties[index].nodes.append(node)
        if node["readOnly"]?.isTrue == true { properties[index].isReadOnly = true }
        if node["writeOnly"]?.isTrue == true { properties[index].isWriteOnly = true }
    }

    mutating func require(_ name: String, at spot: Spot) {
        if requiredNames.insert(name).inserted { required.append((name, spot)) }
    }
}
