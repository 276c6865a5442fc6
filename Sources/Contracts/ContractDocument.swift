/// What a service promises to those that call it, read from the document that it publishes, and what a new document
/// takes back of that.
///
/// A contract is an OpenAPI document (3.0, 3.1, or Swagger 2.0; YAML or JSON) or a proto file (proto2, proto3). Reading
/// gives a model in which everything knows where it was written, and every problem of the document at once; comparing two
/// of them gives the changes that can break a caller of the old one. The judgement is the one of the field's own tools
/// (oasdiff, `buf breaking`): what is *sent* may only become narrower, what is *accepted* may only become wider.
///
/// Refuses to know: files (bytes come in), services, environments, and what a caller really uses. References to other
/// files are not followed; they are compared by their text.
///
/// The way of the data: bytes → ``Node`` (JSON or YAML) → ``OpenAPIModel`` → ``OpenAPIComparison``; or bytes →
/// `ProtoToken` → ``ProtoFile`` → ``ProtoComparison``. Everything that could run away is counted (``ContractLimits``).
package struct ContractDocument: Sendable {
    package enum Kind: String, Sendable, Hashable, Codable {
        case openapi, proto
    }

    enum Model: Sendable {
        case openapi(OpenAPIModel)
        case proto(ProtoFile)
    }

    let model: Model
    /// As given to ``read(_:file:)``.
    package let file: String

    package var kind: Kind {
        switch model {
        case .openapi: .openapi
        case .proto: .proto
        }
    }

    /// Reads a contract. A name that ends in `.proto` is a proto file; another one is OpenAPI unless its text begins as a
    /// proto file does.
    ///
    /// - Returns: no document where nothing could be made of the bytes; then there is at least one error. A document that
    ///   could be read may have errors too (a reference to nothing): what they concern is then compared as far as it goes.
    ///   Problems are sorted by place, at most ``ContractLimits/problems``.
    package static func read(
        _ bytes: [UInt8], file: String
    ) -> (document: ContractDocument?, problems: [ContractProblem]) {
        var problems = Problems(file: file)
        let model = model(bytes, file: file, &problems)
        return (model.map { ContractDocument(model: $0, file: file) }, problems.sorted)
    }

    private static func model(_ bytes: [UInt8], file: String, _ problems: inout Problems) -> Model? {
        guard bytes.count <= ContractLimits.bytes else {
            problems.error(
                "contract_too_large", "the file has \(bytes.count) bytes; at most \(ContractLimits.bytes) are read")
            return nil
        }
        if isProto(bytes, file: file) {
            return ProtoParser.parse(bytes, &problems).map { .proto($0) }
        }
        guard let root = Node.read(bytes, &problems) else { return nil }
        return OpenAPIReader.read(root, &problems).map { .openapi($0) }
    }

    private static func isProto(_ bytes: [UInt8], file: String) -> Bool {
        let name = file.lowercased()
        if name.hasSuffix(".proto") { return true }
        if name.hasSuffix(".yaml") || name.hasSuffix(".yml") || name.hasSuffix(".json") { return false }
        var lexer = ProtoLexer(bytes)
        guard let first = try? lexer.next(), first.isWord("syntax"), let second = try? lexer.next() else {
            return false
        }
        return second.isSymbol("=")
    }
}

/// The changes from `old` to `new` that can break a caller who was written against `old`, and those that are suspicious.
///
/// A change in a part that several operations share is told once, at the first operation that reaches it. A document
/// compared with itself gives nothing. Sorted: errors first, then by path.
package func breakingChanges(from old: ContractDocument, to new: ContractDocument) -> [ContractChange] {
    let changes: [ContractChange]
    switch (old.model, new.model) {
    case (.openapi(let before), .openapi(let after)):
        var comparison = OpenAPIComparison(old: before, new: after, files: (old.file, new.file))
        changes = comparison.changes()
    case (.proto(let before), .proto(let after)):
        var comparison = ProtoComparison(old: before, new: after, files: (old.file, new.file))
        changes = comparison.changes()
    default:
        changes = [
            ContractChange(
                rule: .kindChanged, path: "",
                message: "the contract was \(old.kind.shown) and is now \(new.kind.shown)",
                mine: ContractPlace(file: new.file, line: 1, column: 1),
                theirs: ContractPlace(file: old.file, line: 1, column: 1))
        ]
    }
    return changes.sorted()
}

extension ContractDocument.Kind {
    var shown: String {
        switch self {
        case .openapi: "an OpenAPI document"
        case .proto: "a proto file"
        }
    }
}
