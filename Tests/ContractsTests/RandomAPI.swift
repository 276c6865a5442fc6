/// A random API that can be written down in several ways, and changed in ways of which it is known what they do.
struct RandomAPI {
    struct Field {
        var name: String
        var type: String
        var isRequired: Bool
        var values: [String] = []
    }

    struct Operation {
        var path: String
        var method: String
        var parameters: [Field]
        var request: [Field]
        var response: [Field]
        var statuses: [String]
        var media: [String]
        var description = ""
    }

    var operations: [Operation] = []
    /// Of the schemas: 0 in place, 1 behind references, 2 in parts (`allOf`).
    var style = 0
    private var names = 0

    static let types = ["string", "integer", "boolean", "array"]

    init(_ random: inout SeededRandom) {
        style = random.below(3)
        for index in 0..<(1 + random.below(3)) { operations.append(operation(index, &random)) }
    }

    private mutating func field(_ random: inout SeededRandom) -> Field {
        names += 1
        var field = Field(
            name: "f\(names)", type: Self.types[random.below(4)], isRequired: random.chance(40))
        if field.type == "string", random.chance(40) { field.values = (0..<(2 + random.below(3))).map { "v\($0)" } }
        return field
    }

    private mutating func operation(_ index: Int, _ random: inout SeededRandom) -> Operation {
        Operation(
            path: "/p\(index)/{id}", method: ["get", "post", "put"][random.below(3)],
            parameters: (0..<random.below(3)).map { _ in field(&random) },
            request: (0..<(1 + random.below(3))).map { _ in field(&random) },
            response: (0..<(1 + random.below(3))).map { _ in field(&random) }, statuses: ["200", "201"],
            media: ["application/json", "application/xml"])
    }

    // MARK: - Written down, as JSON

    var text: String {
        var components: [String] = []
        let paths = operations.enumerated().map { index, operation in
            let name = operation.path.split(separator: "{").last?.dropLast() ?? "id"
            let parameters =
                ["{\"name\":\"\(name)\",\"in\":\"path\",\"required\":true,\"schema\":{\"type\":\"string\"}}"]
                + operation.parameters.map {
                    "{\"name\":\"\($0.name)\",\"in\":\"query\",\"required\":\($0.isRequired),\"schema\":\(schema($0))}"
                }
            let request = object(operation.request, "Q\(index)", &components)
            let response = object(operation.response, "R\(index)", &components)
            func content(_ schema: String) -> String {
                operation.media.map { "\"\($0)\":{\"schema\":\(schema)}" }.joined(separator: ",")
            }
            let responses = operation.statuses.map {
                "\"\($0)\":{\"description\":\"d\",\"content\":{\(content(response))}}"
            }
            return "\"\(operation.path)\":{\"\(operation.method)\":{\"description\":\"\(operation.description)\","
                + "\"parameters\":[\(parameters.joined(separator: ","))],\"requestBody\":{\"content\":{\(content(request))}},"
                + "\"responses\":{\(responses.joined(separator: ","))}}}"
        }
        return
            "{\"openapi\":\"3.0.3\",\"info\":{\"title\":\"t\",\"version\":\"1\"},\"paths\":{\(paths.joined(separator: ","))},"
            + "\"components\":{\"schemas\":{\(components.joined(separator: ","))}}}"
    }

    private func schema(_ field: Field) -> String {
        if field.type == "array" { return "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}" }
        let values = field.values.map { "\"\($0)\"" }.joined(separator: ",")
        return "{\"type\":\"\(field.type)\"\(field.values.isEmpty ? "" : ",\"enum\":[\(values)]")}"
    }

    private func object(_ fields: [Field], _ name: String, _ components: inout [String]) -> String {
        let parts = style == 2 && !fields.isEmpty ? fields.map { [$0] } : [fields]
        let texts = parts.map { part in
            let required = part.filter(\.isRequired).map { "\"\($0.name)\"" }.joined(separator: ",")
            let properties = part.map { "\"\($0.name)\":\(schema($0))" }.joined(separator: ",")
            return "{\"type\":\"object\",\"required\":[\(required)],\"properties\":{\(properties)}}"
        }
        let whole = texts.count == 1 ? texts[0] : "{\"allOf\":[\(texts.joined(separator: ","))]}"
        if style == 0 { return whole }
        components.append("\"\(name)\":\(whole)")
        return "{\"$ref\":\"#/components/schemas/\(name)\"}"
    }

    // MARK: - Changes

    /// A change that no caller notices.
    mutating func changeHarmlessly(_ random: inout SeededRandom) {
        let index = random.below(operations.count)
        switch random.below(12) {
        case 0: operations.append(operation(100 + operations.count, &random))
        case 1: operations.reverse()
        case 2: operations[index].description = "d\(random.below(1000))"
        case 3: operations[index].response.insert(field(&random), at: 0)
        case 4: operations[index].request.insert(optional(&random), at: 0)
        case 5: operations[index].parameters.append(optional(&random))
        case 6: for place in operations[index].request.indices { operations[index].request[place].isRequired = false }
        case 7: for place in operations[index].response.indices { operations[index].response[place].isRequired = true }
        case 8: style = random.below(3)
        case 9: operations[index].path = operations[index].path.split(separator: "{")[0] + "{n\(random.below(100))}"
        case 10:
            for place in operations[index].request.indices where !operations[index].request[place].values.isEmpty {
                operations[index].request[place].values.insert("w\(random.below(1000))", at: 0)
            }
        default: operations[index].statuses.append("20\(operations[index].statuses.count)")
        }
    }

    private mutating func optional(_ random: inout SeededRandom) -> Field {
        var field = field(&random)
        field.isRequired = false
        return field
    }

    /// A change that breaks callers: the code that tells it; `nil` where this API has nothing to break in that way.
    mutating func breakOnce(_ random: inout SeededRandom) -> String? {
        let index = random.below(operations.count)
        var field = field(&random)
        let request = operations[index].request.indices.randomElement(using: &random) ?? 0
        let response = operations[index].response.indices.randomElement(using: &random) ?? 0
        switch random.below(13) {
        case 0:
            operations.remove(at: index)
            return "path_removed"
        case 1:
            operations[index].method = "delete"
            return "operation_removed"
        case 2:
            operations[index].response.remove(at: response)
            return "response_property_removed"
        case 3:
            field.isRequired = true
            operations[index].parameters.insert(field, at: 0)
            return "required_parameter_added"
        case 4:
            field.isRequired = true
            operations[index].request.append(field)
            return "required_request_property_added"
        case 5:
            Self.changeType(&operations[index].request[request])
            return "request_type_changed"
        case 6:
            Self.changeType(&operations[index].response[response])
            return "response_type_changed"
        case 7:
            operations[index].statuses.removeFirst()
            return "response_status_removed"
        case 8:
            guard let last = operations[index].request[request].values.popLast() else { return nil }
            return last.isEmpty ? nil : "request_enum_value_removed"
        case 9:
            guard !operations[index].request[request].isRequired else { return nil }
            operations[index].request[request].isRequired = true
            return "request_property_became_required"
        case 10:
            guard operations[index].response[response].isRequired else { return nil }
            operations[index].response[response].isRequired = false
            return "response_property_became_optional"
        case 11:
            guard operations[index].response[response].values.popLast() != nil else { return nil }
            return "response_enum_value_removed"
        default:
            operations[index].media.removeLast()
            return "media_type_removed"
        }
    }

    private static func changeType(_ field: inout Field) {
        field.values = []
        field.type =
            field.type == "object" ? "boolean" : types[(types.firstIndex(of: field.type).map { $0 + 1 } ?? 0) % 4]
    }
}
