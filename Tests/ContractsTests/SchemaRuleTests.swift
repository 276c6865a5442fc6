import Contracts
import Testing

/// What a schema may do in a request and in an answer: the two judge one change by opposite measures.
@Suite struct SchemaRuleTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var old: String
        var new: String
        /// From old to new, and from new to old.
        var request: (forth: [String], back: [String]) = ([], [])
        var response: (forth: [String], back: [String]) = ([], [])
        var version = "3.0.3"
        var more = ""
        var testDescription: String { name }
    }

    static let object = "{type: object, properties: {a: {type: string}}}"
    static let both = "{type: object, properties: {a: {type: string}, b: {type: string}}}"
    static let must = "{type: object, required: [b], properties: {a: {type: string}, b: {type: string}}}"
    static let pets = """
        components:
          schemas:
            Cat: {type: object, required: [meow], properties: {meow: {type: string}}}
            Dog: {type: object, required: [bark], properties: {bark: {type: integer}}}
            Bird: {type: object, required: [song], properties: {song: {type: boolean}}}
        """

    static let values: [Case] = [
        Case(
            name: "type", old: "{type: string}", new: "{type: integer}",
            request: (["error request_type_changed"], ["error request_type_changed"]),
            response: (["error response_type_changed"], ["error response_type_changed"])),
        Case(
            name: "wider number", old: "{type: integer}", new: "{type: number}",
            request: ([], ["error request_type_changed"]), response: (["error response_type_changed"], [])),
        Case(
            name: "anything", old: "{type: string}", new: "{}", request: ([], ["error request_type_changed"]),
            response: (["error response_type_changed"], [])),
        Case(
            name: "nullable", old: "{type: string}", new: "{type: string, nullable: true}",
            request: ([], ["error request_became_not_nullable"]), response: (["error response_became_nullable"], [])),
        Case(
            name: "null in a list of types", old: "{type: string}", new: "{type: [string, 'null']}",
            request: ([], ["error request_became_not_nullable"]), response: (["error response_became_nullable"], []),
            version: "3.1.0"),
        Case(
            name: "null as an alternative", old: "{type: [string, 'null']}",
            new: "{oneOf: [{type: string}, {type: 'null'}]}",
            version: "3.1.0"),
        Case(
            name: "list of types", old: "{type: [string, integer]}", new: "{type: string}",
            request: (["error request_type_changed"], []), response: ([], ["error response_type_changed"]),
            version: "3.1.0"),
        Case(
            name: "enum value", old: "{type: string, enum: [a, b]}", new: "{type: string, enum: [b]}",
            request: (["error request_enum_value_removed"], []),
            response: (["error response_enum_value_removed"], ["warning response_enum_value_added"])),
        Case(name: "enum order", old: "{type: string, enum: [a, b]}", new: "{type: string, enum: [b, a]}"),
        Case(
            name: "became enum", old: "{type: string}", new: "{type: string, enum: [a]}",
            request: (["error request_became_enum"], []), response: ([], ["warning response_enum_opened"])),
        Case(
            name: "const is an enum of one", old: "{type: string, enum: [a]}", new: "{type: string, const: a}",
            version: "3.1.0"),
        Case(
            name: "format", old: "{type: string, format: date}", new: "{type: string, format: date-time}",
            request: (["error request_format_changed"], ["error request_format_changed"]),
            response: (["error response_format_changed"], ["error response_format_changed"])),
        Case(
            name: "new format", old: "{type: string}", new: "{type: string, format: uuid}",
            request: (["warning request_format_changed"], []), response: ([], ["warning response_format_changed"])),
        Case(
            name: "wider format", old: "{type: integer, format: int32}", new: "{type: integer, format: int64}",
            request: ([], ["error request_format_changed"]), response: (["error response_format_changed"], [])),
        Case(
            name: "upper limit", old: "{type: string, maxLength: 10}", new: "{type: string, maxLength: 20}",
            request: ([], ["error request_limit_tightened"]), response: (["error response_limit_loosened"], [])),
        Case(
            name: "lower limit", old: "{type: integer, minimum: 1}",
            new: "{type: integer, minimum: 1, exclusiveMinimum: true}",
            request: (["error request_limit_tightened"], []), response: ([], ["error response_limit_loosened"])),
        Case(
            name: "new limit", old: "{type: array, items: {type: string}}",
            new: "{type: array, items: {type: string}, maxItems: 3}",
            request: (["warning request_limit_tightened"], []), response: ([], ["error response_limit_loosened"])),
        Case(
            name: "pattern", old: "{type: string}", new: "{type: string, pattern: '^a'}",
            request: (["warning request_pattern_changed"], [])),
    ]

    static let objects: [Case] = [
        Case(
            name: "property", old: both, new: object, request: (["warning request_property_removed"], []),
            response: (["error response_property_removed"], [])),
        Case(
            name: "required property", old: object, new: must,
            request: (["error required_request_property_added"], ["warning request_property_removed"]),
            response: ([], ["error response_property_removed"])),
        Case(
            name: "became required", old: both, new: must, request: (["error request_property_became_required"], []),
            response: ([], ["error response_property_became_optional"])),
        Case(
            name: "property of a closed object", old: both,
            new: "{type: object, additionalProperties: false, properties: {a: {type: string}}}",
            request: (["error request_additional_properties_forbidden", "error request_property_removed"], []),
            response: (["error response_property_removed"], [])),
        Case(
            name: "values of a map", old: "{type: object, additionalProperties: {type: string}}",
            new: "{type: object, additionalProperties: {type: integer}}",
            request: (["error request_type_changed"], ["error request_type_changed"]),
            response: (["error response_type_changed"], ["error response_type_changed"])),
        Case(
            name: "read-only", old: object,
            new: "{type: object, required: [b], properties: {a: {type: string}, b: {type: string, readOnly: true}}}",
            response: ([], ["error response_property_removed"])),
        Case(
            name: "write-only",
            old: "{type: object, properties: {a: {type: string}, b: {type: string, writeOnly: true}}}",
            new: object, request: (["warning request_property_removed"], [])),
        Case(
            name: "items", old: "{type: array, items: {type: string}}", new: "{type: array, items: {type: boolean}}",
            request: (["error request_type_changed"], ["error request_type_changed"]),
            response: (["error response_type_changed"], ["error response_type_changed"])),
        Case(name: "type left out", old: object, new: "{properties: {a: {type: string}}}"),
        Case(
            name: "order", old: both, new: "{properties: {b: {type: string}, a: {type: string}}, type: object}"),
    ]

    static let joined: [Case] = [
        Case(
            name: "allOf is its parts", old: must,
            new:
                "{allOf: [{type: object, properties: {a: {type: string}}}, {type: object, required: [b], properties: {b: {type: string}}}]}"
        ),
        Case(
            name: "reference is what it names",
            old: "{type: object, required: [meow], properties: {meow: {type: string}}}",
            new: "{$ref: '#/components/schemas/Cat'}", more: pets),
        Case(
            name: "choice of one is that one", old: "{$ref: '#/components/schemas/Cat'}",
            new: "{anyOf: [{$ref: '#/components/schemas/Cat'}]}", more: pets),
        Case(
            name: "alternative",
            old: "{oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}]}",
            new:
                "{oneOf: [{$ref: '#/components/schemas/Bird'}, {$ref: '#/components/schemas/Dog'}, {$ref: '#/components/schemas/Cat'}]}",
            request: ([], ["error request_alternative_removed"]), response: (["error response_alternative_added"], []),
            more: pets),
        Case(
            name: "one becomes one of several", old: "{$ref: '#/components/schemas/Cat'}",
            new: "{oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}]}",
            request: ([], ["error request_alternative_removed"]), response: (["error response_alternative_added"], []),
            more: pets),
        Case(
            name: "alternatives without names", old: "{oneOf: [{type: string}, {type: integer}]}",
            new: "{oneOf: [{type: integer}, {type: string}]}"),
        Case(
            name: "changed alternative",
            old: "{oneOf: [{type: string}, {type: object, properties: {a: {type: string}}}]}",
            new: "{oneOf: [{type: string}, {type: object, properties: {b: {type: string}}}]}",
            request: (["warning request_property_removed"], ["warning request_property_removed"]),
            response: (["error response_property_removed"], ["error response_property_removed"])),
        Case(
            name: "reference to another file", old: "{$ref: 'a.yaml#/A'}", new: "{$ref: 'b.yaml#/A'}",
            request: (["warning reference_changed"], ["warning reference_changed"]),
            response: (["warning reference_changed"], ["warning reference_changed"])),
    ]

    @Test(arguments: SchemaRuleTests.values + SchemaRuleTests.objects + SchemaRuleTests.joined) func schemas(
        _ one: Case
    ) throws {
        func text(_ schema: String, isRequest: Bool) -> String {
            isRequest
                ? Documents.request(schema, version: one.version, more: one.more)
                : Documents.response(schema, version: one.version, more: one.more)
        }
        for (isRequest, expected) in [(true, one.request), (false, one.response)] {
            let old = text(one.old, isRequest: isRequest)
            let new = text(one.new, isRequest: isRequest)
            let forth = try changes(old, new)
            let back = try changes(new, old)
            let same = try changes(old, old) + changes(new, new)
            #expect(forth == expected.forth.sorted(), "\(isRequest ? "request" : "response"), forth")
            #expect(back == expected.back.sorted(), "\(isRequest ? "request" : "response"), back")
            #expect(same == [])
        }
    }

    @Test func recursiveSchemasEndAndTellTheirChangeOnce() throws {
        func more(_ type: String) -> String {
            """
            components:
              schemas:
                Tree:
                  type: object
                  properties:
                    name: {type: \(type)}
                    children: {type: array, items: {$ref: '#/components/schemas/Tree'}}
                    parent: {allOf: [{$ref: '#/components/schemas/Tree'}], nullable: true}
            """
        }
        let old = Documents.response("{$ref: '#/components/schemas/Tree'}", more: more("string"))
        let new = Documents.response("{$ref: '#/components/schemas/Tree'}", more: more("integer"))
        let all = breakingChanges(from: try document(old, "old.yaml"), to: try document(new, "new.yaml"))
        let codes = all.map(\.code)
        #expect(Set(codes) == ["response_type_changed"] && codes.count <= 2, "\(all.map(\.rendered))")
        #expect(
            all.first?.path == "#/paths/~1things/get/responses/200/content/application~1json/schema/properties/name")
    }

    @Test func aChangeSaysWhereAndWhatToDo() throws {
        let old = Documents.response(
            "{type: object, properties: {order: {type: object, properties: {total: {type: number}}}}}")
        let new = old.replacing("total", with: "sum")
        let change = try #require(
            breakingChanges(from: try document(old, "a.yaml"), to: try document(new, "b.yaml")).first)
        #expect(change.message == "GET /things, response 200, `order`: `total` is no longer sent")
        #expect(change.theirs?.file == "a.yaml" && change.theirs?.line == 6)
        #expect(change.mine?.file == "b.yaml" && change.mine?.line == 6)
        #expect(change.path.hasSuffix("/schema/properties/order/properties/total"))
    }
}
