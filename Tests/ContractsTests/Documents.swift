import Contracts
import Testing

/// Small documents around the piece that a test is about.
enum Documents {
    static func openapi(_ paths: String, version: String = "3.0.3", more: String = "") -> String {
        """
        openapi: \(version)
        info: {title: Shop, version: "1"}
        paths:
        \(paths)
        \(more)

        """
    }

    /// The schema is what `POST /things` takes.
    static func request(_ schema: String, version: String = "3.0.3", more: String = "") -> String {
        openapi(
            """
              /things:
                post:
                  requestBody: {content: {application/json: {schema: \(schema)}}}
                  responses: {'204': {description: done}}
            """, version: version, more: more)
    }

    /// The schema is what `GET /things` gives.
    static func response(_ schema: String, version: String = "3.0.3", more: String = "") -> String {
        openapi(
            """
              /things:
                get:
                  responses: {'200': {description: all, content: {application/json: {schema: \(schema)}}}}
            """, version: version, more: more)
    }

    /// What stands below `get` of `/things/{id}`, in flow style.
    static func operation(_ text: String, more: String = "") -> String {
        openapi("  /things/{id}:\n    get: \(text)", more: more)
    }

    static func proto(_ body: String, syntax: String = "proto3", package: String = "shop") -> String {
        "syntax = \"\(syntax)\";\npackage \(package);\n\(body)\n"
    }
}

func document(_ text: String, _ file: String) throws -> ContractDocument {
    let (document, problems) = ContractDocument.read(Array(text.utf8), file: file)
    let errors = problems.filter { $0.severity == .error }
    try #require(errors.isEmpty, "\(errors.map(\.rendered))\n\(text)")
    return try #require(document)
}

/// `error code` or `warning code`, sorted.
func changes(_ old: String, _ new: String, proto: Bool = false) throws -> [String] {
    let kind = proto ? "proto" : "yaml"
    let all = breakingChanges(from: try document(old, "old.\(kind)"), to: try document(new, "new.\(kind)"))
    for change in all {
        #expect(!change.message.isEmpty && !change.wayOut.isEmpty)
        #expect(change.theirs?.file == "old.\(kind)" && change.mine?.file == "new.\(kind)")
        #expect((change.theirs?.line ?? 0) > 0 && (change.mine?.line ?? 0) > 0)
    }
    return all.map { "\($0.severity) \($0.code)" }.sorted()
}
