/// A strict reader of answers, as independent of the product as ``ReferenceRequest``.
struct ReferenceAnswer {
    var status = 0
    var isHTTP10 = false
    var fields: [(name: String, value: [UInt8])] = []
    /// Content without its framing.
    var body: [UInt8] = []
    /// Only the connection's end is the answer's.
    var endsWithConnection = false

    func value(_ name: String) -> String? {
        fields.first { $0.name == name }.map { String(decoding: $0.value, as: UTF8.self) }
    }

    var closes: Bool { !ReferenceReader.keepsAlive(fields, isHTTP10: isHTTP10) }

    enum Outcome {
        case answer(ReferenceAnswer, end: Int)
        case incomplete(ReferenceAnswer?)
        case refused(String, head: ReferenceAnswer?)
    }

    /// Reads one final answer to a request with `method`, with the interim ones before it.
    ///
    /// - Parameter ended: the connection ended behind `bytes`, in an orderly way.
    static func read(_ bytes: [UInt8], from start: Int, method: String, ended: Bool) -> Outcome {
        var reader = ReferenceReader(bytes: bytes, position: start)
        var head: ReferenceAnswer?
        do {
            var answer = ReferenceAnswer()
            repeat {
                answer = ReferenceAnswer()
                let start = reader.position
                guard let line = try reader.line() else { return .incomplete(nil) }
                try answer.takeStatusLine(line)
                while true {
                    guard let line = try reader.line() else { return .incomplete(nil) }
                    if line.isEmpty { break }
                    guard answer.fields.count < 512 else { throw ReferenceRefusal("too many fields") }
                    answer.fields.append(try ReferenceReader.field(line))
                }
                guard reader.position - start <= 64 << 10 else { throw ReferenceRefusal("head too large") }
                let length = try ReferenceReader.contentLength(answer.fields)
                let isChunked = try ReferenceReader.isChunked(answer.fields)
                if isChunked, length != nil || answer.isHTTP10 { throw ReferenceRefusal("lengths") }
                if answer.status == 101 { throw ReferenceRefusal("101") }
            } while answer.status < 200
            head = answer
            let whole = try answer.readBody(&reader, method: method, ended: ended, seen: { head?.body = $0 })
            return whole ? .answer(answer, end: reader.position) : .incomplete(answer)
        } catch {
            return .refused("\(error)", head: head)
        }
    }

    private mutating func readBody(
        _ reader: inout ReferenceReader, method: String, ended: Bool, seen: ([UInt8]) -> Void
    ) throws -> Bool {
        defer { seen(body) }
        if method == "HEAD" || status == 204 || status == 304 { return true }
        if try ReferenceReader.isChunked(fields) { return try reader.chunks(into: &body, context: nil) }
        if let length = try ReferenceReader.contentLength(fields) { return reader.take(length, into: &body) }
        endsWithConnection = true
        body = Array(reader.bytes[reader.position...])
        reader.position = reader.bytes.count
        return ended
    }

    private mutating func takeStatusLine(_ line: [UInt8]) throws {
        let start = String(decoding: line.prefix(9), as: UTF8.self)
        guard start == "HTTP/1.1 " || start == "HTTP/1.0 ", line.count >= 12 else {
            throw ReferenceRefusal("status line")
        }
        isHTTP10 = start == "HTTP/1.0 "
        let digits = line[9..<12]
        guard digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), line.count == 12 || line[12] == 0x20,
            let status = Int(String(decoding: digits, as: UTF8.self)), status >= 100, status < 600
        else { throw ReferenceRefusal("status line") }
        self.status = status
    }
}
