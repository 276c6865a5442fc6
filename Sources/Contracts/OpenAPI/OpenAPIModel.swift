/// The operations of an OpenAPI document. Schemas stay nodes; ``SchemaStore`` makes shapes of them where they are compared.
struct OpenAPIModel: Sendable {
    enum Version: Sendable { case swagger2, v30, v31 }

    var version: Version
    var root: Node
    /// Of Swagger 2.0; empty for none.
    var basePath = ""
    var basePathSpot = Spot.start
    /// In the order written.
    var operations: [Operation] = []

    struct Operation: Sendable {
        /// As written: `/orders/{id}`.
        var path: String
        /// In lower case.
        var method: String
        /// What two documents find each other by: names of path parameters say nothing (`get /orders/{}`).
        var key: String
        /// Of the path alone.
        var pathKey: String
        var spot: Spot
        var parameters: [Parameter] = []
        var body: Body?
        var responses: [Response] = []
        /// Nobody has to show credentials.
        var isOpenToAll = true
        var securitySpot: Spot

        /// How messages call it.
        var name: String { "\(method.uppercased()) \(path)" }
        var pointer: String { "#/paths/\(JSONPointer.escaped(path))/\(method)" }
    }

    struct Parameter: Sendable {
        var name: String
        /// `path`, `query`, `header`, `cookie`, `formData`.
        var location: String
        /// What two documents find each other by: for path parameters the place in the path, for headers the name in
        /// lower case.
        var key: String
        var isRequired: Bool
        /// How values are put together, defaults filled in.
        var style: String
        var schema: Node?
        var spot: Spot
        var pointer: String
    }

    struct Body: Sendable {
        var isRequired: Bool
        var media: [Media]
        var spot: Spot
    }

    struct Media: Sendable {
        /// In lower case, without spaces.
        var type: String
        var schema: Node?
        var spot: Spot
    }

    struct Response: Sendable {
        /// `200`, `2XX`, `default`.
        var status: String
        var media: [Media]
        var headers: [Header]
        var spot: Spot

        var isSuccess: Bool { status.hasPrefix("2") || status.hasPrefix("3") || status == "default" }
    }

    struct Header: Sendable {
        /// In lower case.
        var name: String
        var isRequired: Bool
        var schema: Node?
        var spot: Spot
    }
}

/// RFC 6901.
enum JSONPointer {
    static func escaped(_ token: String) -> String {
        guard token.utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") }) else { return token }
        return token.split(separator: "~", omittingEmptySubsequences: false).joined(separator: "~0")
            .split(separator: "/", omittingEmptySubsequences: false).joined(separator: "~1")
    }

    /// The tokens of `#/a/b~1c`; `nil` where the text is no pointer into its own document.
    static func tokens(_ reference: String) -> [String]? {
        if reference == "#" { return [] }
        guard reference.hasPrefix("#/") else { return nil }
        return reference.dropFirst(2).split(separator: "/", omittingEmptySubsequences: false).map { token in
            let decoded = token.contains("%") ? percentDecoded(token) : String(token)
            return decoded.split(separator: "~1", omittingEmptySubsequences: false).joined(separator: "/")
                .split(separator: "~0", omittingEmptySubsequences: false).joined(separator: "~")
        }
    }

    private static func percentDecoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(code)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Follows `$ref` inside of one document.
struct References: Sendable {
    enum Found {
        case node(Node)
        /// Into another file, or by a name that is no pointer: not followed.
        case elsewhere(String)
        /// Nothing stands there, or references go round.
        case nothing(String)
    }

    let root: Node
    private var known: [String: Node] = [:]

    init(root: Node) { self.root = root }

    /// What stands at the end of all references that begin at `node`; itself where it is none.
    mutating func resolve(_ node: Node) -> Found {
        var node = node
        for _ in 0..<ContractLimits.references {
            guard let reference = node["$ref"]?.text else { return .node(node) }
            switch target(reference) {
            case .node(let next): node = next
            case let other: return other
            }
        }
        return .nothing(node["$ref"]?.text ?? "")
    }

    /// What one reference names, which may be a reference itself.
    mutating func target(_ reference: String) -> Found {
        if let node = known[reference] { return .node(node) }
        guard let tokens = JSONPointer.tokens(reference) else { return .elsewhere(reference) }
        var node = root
        for token in tokens {
            if let next = node[token] {
                node = next
            } else if let index = Int(token), node.items.indices.contains(index) {
                node = node.items[index]
            } else {
                return .nothing(reference)
            }
        }
        known[reference] = node
        return .node(node)
    }
}
