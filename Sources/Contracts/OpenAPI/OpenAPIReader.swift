/// Located tree → operations, with every problem of the document that could mislead who reads it.
struct OpenAPIReader {
    static let methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"]

    let version: OpenAPIModel.Version
    let root: Node
    var references: References
    var problems: Problems
    var operationIDs: [String: Spot] = [:]

    static func read(_ root: Node, _ problems: inout Problems) -> OpenAPIModel? {
        guard let version = version(root, &problems) else { return nil }
        var reader = OpenAPIReader(version: version, root: root, problems: problems)
        let model = reader.model()
        var walk = ReferenceWalk(references: reader.references, problems: reader.problems)
        walk.visit(root)
        problems = walk.problems
        return model
    }

    private init(version: OpenAPIModel.Version, root: Node, problems: Problems) {
        self.version = version
        self.root = root
        self.problems = problems
        references = References(root: root)
    }

    private static func version(_ root: Node, _ problems: inout Problems) -> OpenAPIModel.Version? {
        guard root.isMapping else {
            problems.error("not_a_contract", "an OpenAPI document is a map, not \(root.kindName)", at: root.spot)
            return nil
        }
        if let swagger = root["swagger"] {
            if swagger.text == "2.0" || swagger.text == "2" { return .swagger2 }
            problems.error(
                "unknown_version", "Swagger \(shortened(swagger.text ?? "?")) is not known; 2.0 is", at: swagger.spot)
            return nil
        }
        guard let openapi = root["openapi"] else {
            problems.error(
                "not_a_contract", "neither `openapi` nor `swagger` says which version this document is of",
                at: root.spot)
            return nil
        }
        let text = openapi.text ?? ""
        if text == "3.0" || text.hasPrefix("3.0.") { return .v30 }
        if text == "3.1" || text.hasPrefix("3.1.") { return .v31 }
        problems.error(
            "unknown_version", "OpenAPI \(shortened(text)) is not known; 3.0 and 3.1 are", at: openapi.spot)
        return nil
    }

    private mutating func model() -> OpenAPIModel {
        var model = OpenAPIModel(version: version, root: root)
        if root["info"]?["title"] == nil || root["info"]?["version"] == nil {
            problems.warning("missing_field", "`info` does not say title and version", at: root.spot)
        }
        if version == .swagger2, let base = root.entry("basePath"), let text = base.value.text {
            model.basePath = text == "/" ? "" : text
            model.basePathSpot = base.spot
        }
        guard let paths = root["paths"] else {
            if version != .v31 { problems.error("missing_field", "`paths` is missing", at: root.spot) }
            return model
        }
        var keys: [String: Spot] = [:]
        for entry in paths.entries where !entry.key.hasPrefix("x-") {
            guard entry.key.hasPrefix("/") else {
                problems.error(
                    "wrong_path", "the path `\(shortened(entry.key))` does not begin with `/`", at: entry.spot)
                continue
            }
            let key = Self.pathKey(entry.key)
            if let first = keys[key] {
                problems.error(
                    "ambiguous_path", "`\(shortened(entry.key))` is the same path as the one in line \(first.line)",
                    at: entry.spot)
                continue
            }
            keys[key] = entry.spot
            model.operations += operations(at: entry, pathKey: key)
        }
        return model
    }

    /// `/orders/{id}/items` → `/orders/{}/items`.
    static func pathKey(_ path: String) -> String {
        guard path.utf8.contains(UInt8(ascii: "{")) else { return path }
        var key = ""
        var isInside = false
        for character in path {
            if character == "}" { isInside = false }
            if !isInside { key.append(character) }
            if character == "{" { isInside = true }
        }
        return key
    }

    /// The names in braces, in order.
    static func pathParameters(_ path: String) -> [String] {
        path.split(separator: "{").dropFirst().compactMap { part in
            part.firstIndex(of: "}").map { String(part[..<$0]) }
        }
    }

    private mutating func operations(at path: Node.Entry, pathKey: String) -> [OpenAPIModel.Operation] {
        guard let item = resolved(path.value) else { return [] }
        let shared = item["parameters"]?.items ?? []
        var operations: [OpenAPIModel.Operation] = []
        for entry in item.entries {
            let method = entry.key.lowercased()
            guard Self.methods.contains(method) else {
                let known = ["parameters", "summary", "description", "servers", "$ref"]
                if !known.contains(entry.key), !entry.key.hasPrefix("x-") {
                    problems.warning("unknown_method", "`\(shortened(entry.key))` is no method", at: entry.spot)
                }
                continue
            }
            guard entry.value.isMapping else {
                problems.error("wrong_type", "an operation is a map, not \(entry.value.kindName)", at: entry.value.spot)
                continue
            }
            var operation = OpenAPIModel.Operation(
                path: path.key, method: method, key: method + " " + pathKey, pathKey: pathKey, spot: entry.spot,
                securitySpot: entry.spot)
            fill(&operation, from: entry.value, shared: shared)
            operations.append(operation)
        }
        return operations
    }

    private mutating func fill(_ operation: inout OpenAPIModel.Operation, from node: Node, shared: [Node]) {
        if let id = node.entry("operationId"), let text = id.value.text {
            if let first = operationIDs[text] {
                problems.error(
                    "duplicate_operation_id", "`\(shortened(text))` already names the operation in line \(first.line)",
                    at: id.spot)
            }
            operationIDs[text] = id.spot
        }
        let own = parameters(node["parameters"]?.items ?? [], operation, base: operation.pointer)
        let path = "#/paths/\(JSONPointer.escaped(operation.path))"
        let inherited = parameters(shared, operation, base: path).filter { one in
            !own.contains { $0.key == one.key }
        }
        let all = own + inherited
        operation.parameters = all.filter { $0.location != "body" }
        checkPathParameters(operation)
        if version == .swagger2 {
            operation.body = all.first { $0.location == "body" }.map { body($0, of: node) }
        } else if let body = node.entry("requestBody"), let value = resolved(body.value) {
            operation.body = OpenAPIModel.Body(
                isRequired: value["required"]?.isTrue ?? false, media: media(value["content"]), spot: body.spot)
        }
        operation.responses = responses(node, operation)
        if let security = node.entry("security") ?? root.entry("security") {
            operation.isOpenToAll = security.value.items.isEmpty || security.value.items.contains { $0.entries.isEmpty }
            operation.securitySpot = security.spot
        }
    }

    private mutating func responses(_ node: Node, _ operation: OpenAPIModel.Operation) -> [OpenAPIModel.Response] {
        guard let responses = node["responses"], responses.isMapping else {
            if version != .v31 {
                problems.error("missing_field", "\(operation.name) says no `responses`", at: operation.spot)
            }
            return []
        }
        return responses.entries.compactMap { entry in
            guard !entry.key.hasPrefix("x-"), let value = resolved(entry.value) else { return nil }
            let status = entry.key.uppercased() == "DEFAULT" ? "default" : entry.key.uppercased()
            if !Self.isStatus(status) {
                problems.error("wrong_status", "`\(shortened(entry.key))` is no status", at: entry.spot)
                return nil
            }
            var content = media(value["content"])
            if version == .swagger2, let schema = value.entry("schema") {
                content = mediaTypes("produces", of: node).map {
                    .init(type: $0, schema: schema.value, spot: schema.spot)
                }
            }
            return OpenAPIModel.Response(status: status, media: content, headers: headers(value), spot: entry.spot)
        }
    }

    private static func isStatus(_ text: String) -> Bool {
        if text == "default" { return true }
        let bytes = Array(text.utf8)
        guard bytes.count == 3, (0x31...0x35).contains(bytes[0]) else { return false }
        return bytes.dropFirst().allSatisfy { (0x30...0x39).contains($0) } || text.hasSuffix("XX")
    }

    private mutating func headers(_ response: Node) -> [OpenAPIModel.Header] {
        (response["headers"]?.entries ?? []).compactMap { entry in
            let name = entry.key.lowercased()
            // OpenAPI ignores a definition of this one.
            guard name != "content-type", let value = resolved(entry.value) else { return nil }
            let schema =
                version == .swagger2 ? value : value["schema"] ?? value["content"]?.entries.first?.value["schema"]
            return .init(
                name: name, isRequired: value["required"]?.isTrue ?? false, schema: schema, spot: entry.spot)
        }
    }

    mutating func media(_ content: Node?) -> [OpenAPIModel.Media] {
        (content?.entries ?? []).compactMap { entry in
            guard !entry.key.hasPrefix("x-"), let value = resolved(entry.value) else { return nil }
            return .init(type: Self.mediaType(entry.key), schema: value["schema"], spot: entry.spot)
        }
    }

    static func mediaType(_ text: String) -> String { text.lowercased().filter { !$0.isWhitespace } }

    /// Of Swagger 2.0: what the operation, else the document says.
    func mediaTypes(_ field: String, of operation: Node) -> [String] {
        let types = (operation[field] ?? root[field])?.items.compactMap(\.text).map(Self.mediaType) ?? []
        return types.isEmpty ? ["*/*"] : types
    }

    /// What a node is in the end; `nil`, told by ``ReferenceWalk``, where its reference leads nowhere.
    mutating func resolved(_ node: Node) -> Node? {
        switch references.resolve(node) {
        case .node(let found): found
        case .elsewhere, .nothing: nil
        }
    }
}
