/// A strict reader of requests that shares nothing with the product: it works on the whole input, line by line, as
/// RFC 9112 and the gateway's contract say. What it refuses must never reach a service.
struct ReferenceRequest: Equatable, CustomStringConvertible {
    var method: String
    var target: String
    var isHTTP10 = false
    var fields: [(name: String, value: [UInt8])] = []
    /// Content without its framing.
    var body: [UInt8] = []
    var hasBody = false
    var keepsAlive = true

    static func == (one: ReferenceRequest, other: ReferenceRequest) -> Bool {
        one.method == other.method && one.target == other.target && one.body == other.body
    }

    var description: String { "\(method) \(target) (\(body.count) bytes of body)" }

    func values(_ name: String) -> [[UInt8]] { fields.filter { $0.name == name }.map(\.value) }

    enum Outcome {
        case request(ReferenceRequest, end: Int)
        /// The input ends before the request does. The head is there where it is whole.
        case incomplete(ReferenceRequest?)
        /// With its head, where it is the body that is refused.
        case refused(String, head: ReferenceRequest?)
        /// `CONNECT`, which is nobody's here.
        case connect
    }

    /// Reads one request from `start` on.
    static func read(_ bytes: [UInt8], from start: Int) -> Outcome {
        var reader = ReferenceReader(bytes: bytes, position: start)
        var head: ReferenceRequest?
        do {
            guard var line = try reader.line() else { return .incomplete(nil) }
            if line.isEmpty {
                guard let second = try reader.line() else { return .incomplete(nil) }
                line = second
            }
            var request = try requestLine(line)
            while true {
                guard let line = try reader.line() else { return .incomplete(nil) }
                if line.isEmpty { break }
                guard request.fields.count < 512 else { throw ReferenceRefusal("too many fields") }
                request.fields.append(try ReferenceReader.field(line))
            }
            guard reader.position - start <= 64 << 10 else { throw ReferenceRefusal("head too large") }
            try request.checkHost()
            request.target = request.originForm
            let length = try ReferenceReader.contentLength(request.fields)
            let isChunked = try ReferenceReader.isChunked(request.fields)
            if isChunked, length != nil { throw ReferenceRefusal("both lengths") }
            if isChunked, request.isHTTP10 { throw ReferenceRefusal("chunks in HTTP/1.0") }
            request.keepsAlive = ReferenceReader.keepsAlive(request.fields, isHTTP10: request.isHTTP10)
            if request.method == "CONNECT" { return .connect }
            request.hasBody = isChunked || (length ?? 0) > 0
            head = request
            defer { head?.body = request.body }
            let whole: Bool
            if isChunked {
                whole = try reader.chunks(into: &request.body, context: "x-msx-env")
            } else {
                whole = reader.take(length ?? 0, into: &request.body)
            }
            return whole ? .request(request, end: reader.position) : .incomplete(request)
        } catch {
            return .refused("\(error)", head: head)
        }
    }

    private static func requestLine(_ line: [UInt8]) throws -> ReferenceRequest {
        guard line.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else { throw ReferenceRefusal("bytes of the request line") }
        let parts = String(decoding: line, as: UTF8.self).split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw ReferenceRefusal("request line") }
        let (method, target, version) = (String(parts[0]), String(parts[1]), parts[2])
        guard ReferenceReader.isToken(Array(method.utf8)), !target.isEmpty else { throw ReferenceRefusal("method") }
        guard version == "HTTP/1.1" || version == "HTTP/1.0" else { throw ReferenceRefusal("version") }
        let isGood =
            method == "CONNECT" || (target.hasPrefix("/") && !target.contains("#"))
            || (target == "*" && method == "OPTIONS")
            || (target.lowercased().hasPrefix("http://") && target.utf8.count > 7 && !target.contains("#"))
        guard isGood else { throw ReferenceRefusal("target") }
        return ReferenceRequest(method: method, target: target, isHTTP10: version == "HTTP/1.0")
    }

    private var authority: String? {
        guard !target.hasPrefix("/"), target != "*", method != "CONNECT" else { return nil }
        return String(target.dropFirst(7).prefix { $0 != "/" && $0 != "?" })
    }

    private var originForm: String {
        guard let authority else { return target }
        let rest = target.dropFirst(7 + authority.count)
        if rest.isEmpty { return method == "OPTIONS" ? "*" : "/" }
        return rest.hasPrefix("?") ? "/" + rest : String(rest)
    }

    private func checkHost() throws {
        let hosts = values("host")
        guard hosts.count == 1 else { throw ReferenceRefusal("\(hosts.count) hosts") }
        let host = String(decoding: hosts[0], as: UTF8.self)
        var name = host[...]
        if name.hasPrefix("[") {
            guard let end = name.firstIndex(of: "]") else { throw ReferenceRefusal("host") }
            let inner = name[name.index(after: name.startIndex)..<end]
            guard !inner.isEmpty, inner.utf8.allSatisfy({ Array("0123456789abcdefABCDEF:.".utf8).contains($0) }) else {
                throw ReferenceRefusal("host")
            }
            name = "x" + name[name.index(after: end)...]
        }
        let parts = name.split(separator: ":", omittingEmptySubsequences: false)
        let allowed = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%!$&'()*+;=".utf8)
        guard parts.count <= 2, !parts[0].isEmpty, parts[0].utf8.allSatisfy(allowed.contains) else {
            throw ReferenceRefusal("host")
        }
        if host.hasPrefix("["), parts[0] != "x" { throw ReferenceRefusal("host") }
        if parts.count == 2, !parts[1].utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) { throw ReferenceRefusal("port") }
        if let authority, authority.lowercased() != host.lowercased() { throw ReferenceRefusal("two hosts") }
    }
}

struct ReferenceRefusal: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// The parts that requests and answers have in common.
struct ReferenceReader {
    let bytes: [UInt8]
    var position: Int

    static let known = [
        "te", "b3", "host", "cookie", "expect", "baggage", "upgrade", "trailer", "connection", "tracestate",
        "keep-alive", "traceparent", "x-msx-error", "x-b3-traceid", "x-msx-warning", "content-length", "x-msx-provider",
        "x-forwarded-for", "x-forwarded-host", "proxy-connection", "transfer-encoding", "x-forwarded-proto",
    ]

    /// The next line without its CRLF; nil where it is not there in full.
    mutating func line() throws -> [UInt8]? {
        guard let feed = bytes[position...].firstIndex(of: 0x0A) else { return nil }
        guard feed > position, bytes[feed - 1] == 0x0D else { throw ReferenceRefusal("bare LF") }
        let line = Array(bytes[position..<(feed - 1)])
        position = feed + 1
        guard line.allSatisfy({ ($0 >= 0x20 || $0 == 0x09) && $0 != 0x7F }) else { throw ReferenceRefusal("control") }
        return line
    }

    mutating func take(_ count: Int, into body: inout [UInt8]) -> Bool {
        let end = min(bytes.count, position + count)
        body += bytes[position..<end]
        defer { position = end }
        return end - position == count
    }

    static func isToken(_ name: [UInt8]) -> Bool {
        let marks = Set("!#$%&'*+-.^_`|~".utf8)
        return !name.isEmpty
            && name.allSatisfy {
                ($0 >= 0x30 && $0 <= 0x39) || ($0 >= 0x41 && $0 <= 0x5A) || ($0 >= 0x61 && $0 <= 0x7A)
                    || marks.contains($0)
            }
    }

    static func field(_ line: [UInt8]) throws -> (name: String, value: [UInt8]) {
        guard let colon = line.firstIndex(of: 0x3A), isToken(Array(line[..<colon])) else {
            throw ReferenceRefusal("field")
        }
        let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
        if name.contains("_"), known.contains(String(name.map { $0 == "_" ? "-" : $0 })) {
            throw ReferenceRefusal("forged name")
        }
        var value = line[(colon + 1)...]
        while let first = value.first, first == 0x20 || first == 0x09 { value.removeFirst() }
        while let last = value.last, last == 0x20 || last == 0x09 { value.removeLast() }
        return (name, Array(value))
    }

    static func contentLength(_ fields: [(name: String, value: [UInt8])]) throws -> Int? {
        var found: Int?
        for field in fields where field.name == "content-length" {
            let digits = field.value
            guard !digits.isEmpty, digits.count <= 18, digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
                let length = Int(String(decoding: digits, as: UTF8.self)), found == nil || found == length
            else { throw ReferenceRefusal("content-length") }
            found = length
        }
        return found
    }

    static func isChunked(_ fields: [(name: String, value: [UInt8])]) throws -> Bool {
        let codings = fields.filter { $0.name == "transfer-encoding" }
        guard !codings.isEmpty else { return false }
        guard codings.count == 1, String(decoding: codings[0].value, as: UTF8.self).lowercased() == "chunked" else {
            throw ReferenceRefusal("transfer-encoding")
        }
        return true
    }

    static func keepsAlive(_ fields: [(name: String, value: [UInt8])], isHTTP10: Bool) -> Bool {
        let options = fields.filter { $0.name == "connection" }.flatMap {
            String(decoding: $0.value, as: UTF8.self).lowercased().split(separator: ",").map {
                String($0.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
            }
        }
        if options.contains("close") { return false }
        return !isHTTP10 || options.contains("keep-alive")
    }

    /// A chunked body with its trailers; false where the input ends before it does.
    mutating func chunks(into body: inout [UInt8], context: String?) throws -> Bool {
        while true {
            guard let line = try line() else {
                if bytes.count - position > 256 { throw ReferenceRefusal("long chunk line") }
                return false
            }
            guard line.count < 256 else { throw ReferenceRefusal("long chunk line") }
            let digits = line.prefix { UInt8(ascii: "0") <= $0 && $0 <= 0x39 || 0x41...0x46 ~= $0 || 0x61...0x66 ~= $0 }
            guard !digits.isEmpty, digits.count <= 15,
                let size = Int(String(decoding: digits, as: UTF8.self), radix: 16), size <= 0x7FFF_FFFF
            else { throw ReferenceRefusal("chunk size") }
            let rest = line[digits.endIndex...].drop { $0 == 0x20 || $0 == 0x09 }
            guard rest.first == 0x3B || digits.count == line.count else { throw ReferenceRefusal("chunk size") }
            if size == 0 { break }
            guard take(size, into: &body) else { return false }
            guard position + 2 <= bytes.count else {
                if position < bytes.count, bytes[position] != 0x0D { throw ReferenceRefusal("chunk end") }
                return false
            }
            guard bytes[position] == 0x0D, bytes[position + 1] == 0x0A else { throw ReferenceRefusal("chunk end") }
            position += 2
        }
        while let line = try line() {
            if line.isEmpty { return true }
            try Self.checkTrailer(Self.field(line).name, context: context)
        }
        return false
    }

    private static func checkTrailer(_ name: String, context: String?) throws {
        let listed = [
            "authorization", "www-authenticate", "set-cookie", "forwarded", "range", "location", "max-forwards",
            "cache-control", "age", "expires", "date", "vary", "retry-after",
        ]
        let name = String(name.map { $0 == "_" ? "-" : $0 })
        let starts = ["x-msx-", "x-forwarded-", "content-", "proxy-", "if-"]
        if name == context || listed.contains(name) || starts.contains(where: name.hasPrefix)
            || (known.contains(name) && name != "trailer")
        {
            throw ReferenceRefusal("trailer \(name)")
        }
    }
}
