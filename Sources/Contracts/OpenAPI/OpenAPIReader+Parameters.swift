extension OpenAPIReader {
    mutating func parameters(
        _ nodes: [Node], _ operation: OpenAPIModel.Operation, base: String
    ) -> [OpenAPIModel.Parameter] {
        var found: [OpenAPIModel.Parameter] = []
        for (index, node) in nodes.enumerated() {
            guard let value = resolved(node) else { continue }
            guard let name = value["name"]?.text, let location = value["in"]?.text else {
                problems.error("missing_field", "a parameter says its `name` and where it is (`in`)", at: node.spot)
                continue
            }
            guard isLocation(location) else {
                problems.error("wrong_location", "a parameter is not in `\(shortened(location))`", at: node.spot)
                continue
            }
            let parameter = parameter(
                value, name: name, location: location, operation, spot: node.spot,
                pointer: "\(base)/parameters/\(index)")
            if found.contains(where: { $0.key == parameter.key }) {
                problems.error(
                    "duplicate_parameter", "the \(location) parameter `\(shortened(name))` stands twice", at: node.spot)
                continue
            }
            found.append(parameter)
        }
        return found
    }

    private func isLocation(_ text: String) -> Bool {
        let all =
            version == .swagger2
            ? ["path", "query", "header", "body", "formData"] : ["path", "query", "header", "cookie"]
        return all.contains(text)
    }

    private func parameter(
        _ node: Node, name: String, location: String, _ operation: OpenAPIModel.Operation, spot: Spot, pointer: String
    ) -> OpenAPIModel.Parameter {
        var key = "\(location) \(location == "header" ? name.lowercased() : name)"
        if location == "path", let position = Self.pathParameters(operation.path).firstIndex(of: name) {
            key = "path #\(position)"
        }
        if location == "body" { key = "body" }
        let content = node["content"]?.entries.first?.value["schema"]
        let schema = location == "body" ? node["schema"] : version == .swagger2 ? node : node["schema"] ?? content
        return .init(
            name: name, location: location, key: key,
            isRequired: location == "path" || node["required"]?.isTrue == true,
            style: style(node, location: location), schema: schema, spot: spot, pointer: pointer)
    }

    /// OpenAPI's defaults, filled in; of a parameter with `content`, its media type.
    private func style(_ node: Node, location: String) -> String {
        if version == .swagger2 { return node["collectionFormat"]?.text ?? "csv" }
        if let content = node["content"]?.entries.first { return Self.mediaType(content.key) }
        let usual = location == "query" || location == "cookie" ? "form" : "simple"
        let style = node["style"]?.text ?? usual
        let explodes = node["explode"].map(\.isTrue) ?? (style == "form")
        return explodes ? style + ", exploded" : style
    }

    mutating func checkPathParameters(_ operation: OpenAPIModel.Operation) {
        let written = Self.pathParameters(operation.path)
        for parameter in operation.parameters where parameter.location == "path" && !written.contains(parameter.name) {
            problems.warning(
                "unused_path_parameter", "`{\(shortened(parameter.name))}` does not stand in \(operation.path)",
                at: parameter.spot)
        }
        for name in written
        where !operation.parameters.contains(where: { $0.location == "path" && $0.name == name }) {
            problems.warning(
                "undeclared_path_parameter", "\(operation.name) does not declare `{\(shortened(name))}`",
                at: operation.spot)
        }
    }

    /// Of Swagger 2.0, whose body is a parameter.
    func body(_ parameter: OpenAPIModel.Parameter, of operation: Node) -> OpenAPIModel.Body {
        OpenAPIModel.Body(
            isRequired: parameter.isRequired,
            media: mediaTypes("consumes", of: operation).map {
                .init(type: $0, schema: parameter.schema, spot: parameter.spot)
            }, spot: parameter.spot)
    }
}

/// Looks at every `$ref` of a document, also of parts that no operation reaches.
struct ReferenceWalk {
    var references: References
    var problems: Problems
    /// An alias makes one node stand in several places.
    private var seen: Set<ObjectIdentifier> = []

    init(references: References, problems: Problems) {
        self.references = references
        self.problems = problems
    }

    /// Below these stand values, not parts of the contract.
    private static let values: Set<String> = ["example", "examples", "default", "enum", "const", "value"]

    mutating func visit(_ node: Node) {
        switch node.content {
        case .mapping(let entries):
            guard seen.insert(ObjectIdentifier(node)).inserted else { return }
            if let reference = node["$ref"], let text = reference.text { check(text, at: reference.spot) }
            for entry in entries where !Self.values.contains(entry.key) && !entry.key.hasPrefix("x-") {
                visit(entry.value)
            }
        case .sequence(let items):
            for item in items { visit(item) }
        case .scalar, .null: break
        }
    }

    private mutating func check(_ reference: String, at spot: Spot) {
        switch references.target(reference) {
        case .node(let node):
            if case .nothing(let last) = references.resolve(node), last == reference || node["$ref"] != nil {
                problems.error(
                    "unknown_reference", "`\(shortened(reference))` leads to nothing, or in a circle", at: spot)
            }
        case .elsewhere:
            problems.warning(
                "outside_reference",
                "`\(shortened(reference))` leads out of this document and is not followed; its text is compared",
                at: spot)
        case .nothing:
            problems.error("unknown_reference", "`\(shortened(reference))` leads to nothing", at: spot)
        }
    }
}
