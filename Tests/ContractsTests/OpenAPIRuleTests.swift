import Contracts
import Testing

/// Each rule both ways: the change that breaks, and the reverse, which mostly does not.
@Suite struct OpenAPIRuleTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var old: String
        var new: String
        var forth: [String]
        var back: [String] = []
        var testDescription: String { name }
    }

    private func check(_ one: Case) throws {
        let forth = try changes(one.old, one.new)
        let back = try changes(one.new, one.old)
        let same = try changes(one.old, one.old) + changes(one.new, one.new)
        #expect(forth == one.forth.sorted(), "forth")
        #expect(back == one.back.sorted(), "back")
        #expect(same == [])
    }

    static let ok = "responses: {'200': {description: ok}}"

    static func parameter(_ text: String) -> String {
        Documents.operation(
            "{parameters: [{name: id, in: path, required: true, schema: {type: string}}, {\(text)}], \(ok)}")
    }

    static let bare = Documents.operation(
        "{parameters: [{name: id, in: path, required: true, schema: {type: string}}], \(ok)}")

    static let operations: [Case] = [
        Case(
            name: "path", old: Documents.openapi("  /a: {get: {\(ok)}}\n  /b: {get: {\(ok)}}"),
            new: Documents.openapi("  /a: {get: {\(ok)}}"), forth: ["error path_removed"]),
        Case(
            name: "method", old: Documents.openapi("  /a: {get: {\(ok)}, put: {\(ok)}}"),
            new: Documents.openapi("  /a: {get: {\(ok)}}"), forth: ["error operation_removed"]),
        Case(
            name: "renamed path parameter",
            old: Documents.openapi(
                "  /a/{x}: {get: {parameters: [{name: x, in: path, required: true, schema: {type: string}}], \(ok)}}"),
            new: Documents.openapi(
                "  /a/{y}: {get: {parameters: [{name: y, in: path, required: true, schema: {type: string}}], \(ok)}}"),
            forth: []),
        Case(
            name: "path parameter type",
            old: Documents.openapi(
                "  /a/{x}: {get: {parameters: [{name: x, in: path, required: true, schema: {type: string}}], \(ok)}}"),
            new: Documents.openapi(
                "  /a/{y}: {get: {parameters: [{name: y, in: path, required: true, schema: {type: integer}}], \(ok)}}"),
            forth: ["error request_type_changed"], back: ["error request_type_changed"]),
        Case(
            name: "security", old: Documents.operation("{\(ok)}", more: "security: []"),
            new: Documents.operation("{\(ok)}", more: "security: [{key: []}]"), forth: ["error security_required"]),
        Case(
            name: "description", old: Documents.operation("{description: one, \(ok)}"),
            new: Documents.operation("{summary: two, tags: [a], \(ok)}"), forth: []),
    ]

    static let parameters: [Case] = [
        Case(
            name: "required added", old: bare,
            new: parameter("name: q, in: query, required: true, schema: {type: string}"),
            forth: ["error required_parameter_added"], back: ["warning request_parameter_removed"]),
        Case(
            name: "optional added", old: bare, new: parameter("name: q, in: query, schema: {type: string}"), forth: [],
            back: ["warning request_parameter_removed"]),
        Case(
            name: "became required", old: parameter("name: q, in: query, schema: {type: string}"),
            new: parameter("name: q, in: query, required: true, schema: {type: string}"),
            forth: ["error request_parameter_became_required"]),
        Case(
            name: "type", old: parameter("name: q, in: query, schema: {type: number}"),
            new: parameter("name: q, in: query, schema: {type: integer}"), forth: ["error request_type_changed"]),
        Case(
            name: "moved", old: parameter("name: q, in: query, required: true, schema: {type: string}"),
            new: parameter("name: q, in: header, required: true, schema: {type: string}"),
            forth: ["error required_parameter_added", "warning request_parameter_removed"],
            back: ["error required_parameter_added", "warning request_parameter_removed"]),
        Case(
            name: "style", old: parameter("name: q, in: query, schema: {type: array, items: {type: string}}"),
            new: parameter("name: q, in: query, explode: false, schema: {type: array, items: {type: string}}"),
            forth: ["error request_parameter_style_changed"], back: ["error request_parameter_style_changed"]),
        Case(
            name: "default style written out", old: parameter("name: q, in: query, schema: {type: string}"),
            new: parameter("name: q, in: query, style: form, explode: true, schema: {type: string}"), forth: []),
        Case(
            name: "header's case", old: parameter("name: X-Trace, in: header, schema: {type: string}"),
            new: parameter("name: x-trace, in: header, schema: {type: string}"), forth: []),
        Case(
            name: "enum", old: parameter("name: q, in: query, schema: {type: string, enum: [a, b]}"),
            new: parameter("name: q, in: query, schema: {type: string, enum: [a]}"),
            forth: ["error request_enum_value_removed"]),
    ]

    static let bodies: [Case] = [
        Case(
            name: "required body", old: Documents.openapi("  /a: {post: {\(ok)}}"),
            new: Documents.openapi("  /a: {post: {requestBody: {required: true, content: {a/b: {}}}, \(ok)}}"),
            forth: ["error required_request_body_added"], back: ["warning request_body_removed"]),
        Case(
            name: "became required", old: Documents.openapi("  /a: {post: {requestBody: {content: {a/b: {}}}, \(ok)}}"),
            new: Documents.openapi("  /a: {post: {requestBody: {required: true, content: {a/b: {}}}, \(ok)}}"),
            forth: ["error request_body_became_required"]),
        Case(
            name: "request media type",
            old: Documents.openapi("  /a: {post: {requestBody: {content: {a/b: {}, a/c: {}}}, \(ok)}}"),
            new: Documents.openapi("  /a: {post: {requestBody: {content: {a/b: {}}}, \(ok)}}"),
            forth: ["error request_media_type_removed"]),
        Case(
            name: "media range",
            old: Documents.openapi("  /a: {post: {requestBody: {content: {a/b: {}, a/c: {}}}, \(ok)}}"),
            new: Documents.openapi("  /a: {post: {requestBody: {content: {'a/*': {}}}, \(ok)}}"), forth: [],
            back: ["error request_media_type_removed"]),
        Case(
            name: "status", old: Documents.operation("{responses: {'200': {description: x}, '201': {description: x}}}"),
            new: Documents.operation("{responses: {'200': {description: x}}}"), forth: ["error response_status_removed"]
        ),
        Case(
            name: "failure status",
            old: Documents.operation("{responses: {'200': {description: x}, '404': {description: x}}}"),
            new: Documents.operation("{responses: {'200': {description: x}}}"),
            forth: ["warning response_status_removed"]),
        Case(
            name: "covered status",
            old: Documents.operation("{responses: {'200': {description: x}, '404': {description: x}}}"),
            new: Documents.operation("{responses: {2XX: {description: x}, default: {description: x}}}"), forth: [],
            back: ["error response_status_removed", "error response_status_removed"]),
        Case(
            name: "response media type",
            old: Documents.operation("{responses: {'200': {description: x, content: {a/b: {}, a/c: {}}}}}"),
            new: Documents.operation("{responses: {'200': {description: x, content: {a/b: {}}}}}"),
            forth: ["error response_media_type_removed"]),
        Case(
            name: "response body",
            old: Documents.operation("{responses: {'200': {description: x, content: {a/b: {}}}}}"),
            new: Documents.operation("{responses: {'200': {description: x}}}"), forth: ["error response_body_removed"]),
        Case(
            name: "required header",
            old: Documents.operation("{responses: {'200': {description: x, headers: {A: {required: true}}}}}"),
            new: Documents.operation("{responses: {'200': {description: x}}}"), forth: ["error response_header_removed"]
        ),
        Case(
            name: "header", old: Documents.operation("{responses: {'200': {description: x, headers: {A: {}}}}}"),
            new: Documents.operation("{responses: {'200': {description: x}}}"),
            forth: ["warning response_header_removed"]),
        Case(
            name: "header became optional",
            old: Documents.operation("{responses: {'200': {description: x, headers: {A: {required: true}}}}}"),
            new: Documents.operation("{responses: {'200': {description: x, headers: {a: {}}}}}"),
            forth: ["error response_header_became_optional"]),
    ]

    @Test(arguments: OpenAPIRuleTests.operations + OpenAPIRuleTests.parameters + OpenAPIRuleTests.bodies) func rules(
        _ one: Case
    ) throws { try check(one) }

    @Test func swagger() throws {
        let head =
            "swagger: '2.0'\ninfo: {title: x, version: '1'}\nconsumes: [application/json]\nproduces: [application/json]\n"
        let old =
            head
            + "basePath: /v1\npaths: {/a: {post: {parameters: [{name: b, in: body, schema: {type: object, properties:"
            + " {a: {type: string}}}}, {name: q, in: query, type: integer}], responses: {'200': {description: x, schema:"
            + " {$ref: '#/definitions/T'}}}}}}\ndefinitions: {T: {type: object, properties: {a: {type: string}}}}\n"
        let new = old.replacing("basePath: /v1", with: "basePath: /v2").replacing(
            "type: integer", with: "type: boolean"
        )
        .replacing(
            "definitions: {T: {type: object, properties: {a: ", with: "definitions: {T: {type: object, properties: {b: "
        )
        let found = try changes(old, new)
        #expect(
            found == ["error base_path_changed", "error request_type_changed", "error response_property_removed"])
    }
}
