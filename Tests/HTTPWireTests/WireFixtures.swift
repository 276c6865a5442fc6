import HTTPWire

/// A parsed request as text.
struct ParsedRequest: Equatable {
    var method: String
    var target: String
    var fields: [String]
    var length: Int
}

func text(_ range: ByteRange, _ bytes: UnsafeRawBufferPointer) -> String {
    String(decoding: range.of(bytes), as: UTF8.self)
}

/// Shows the parser the bytes in two parts (all of them where `split` is nil), as two reads would bring them.
func parseRequest(_ input: [UInt8], split: Int? = nil) -> Result<ParsedRequest?, WireViolation> {
    var parser = RequestHeadParser()
    return input.withUnsafeBytes { bytes in
        var progress = HeadProgress.more
        if let split { progress = parser.parse(UnsafeRawBufferPointer(rebasing: bytes[..<split])) }
        if progress == .more { progress = parser.parse(bytes) }
        switch progress {
        case .more: return .success(nil)
        case .refused(let violation): return .failure(violation)
        case .complete(let length):
            return .success(
                ParsedRequest(
                    method: text(parser.method, bytes), target: text(parser.target, bytes),
                    fields: parser.head.fields.map { text($0.name, bytes) + "=" + text($0.value, bytes) },
                    length: length))
        }
    }
}

func withRequest<T>(_ head: String, _ body: (RequestHeadParser, UnsafeRawBufferPointer) throws -> T) rethrows -> T {
    var parser = RequestHeadParser()
    return try Array(head.utf8).withUnsafeBytes { bytes in
        guard case .complete = parser.parse(bytes) else {
            fatalError("the test's own request is not complete: \(head)")
        }
        return try body(parser, bytes)
    }
}

/// The head as it would be forwarded.
func forward(
    _ head: String, context: String = "", propagates: Bool = true, headerName: String = "x-msx-env"
) -> String {
    withRequest(head) { request, bytes in
        let name = Array(headerName.utf8)
        let carriers = name.withUnsafeBytes { ContextCarriers(request.head, bytes, headerName: $0) }
        let buffer = WireBuffer(capacity: 1)
        buffer.appendRequest(
            request, bytes, carriers: carriers, context: Array(context.utf8),
            forwarding: RequestForwarding(
                propagates: propagates, headerName: name, clientAddress: Array("127.0.0.1".utf8)),
            trace: carriers.trace ?? TraceID(high: 1, low: 3), span: 3)
        return String(decoding: buffer.bytes, as: UTF8.self)
    }
}
