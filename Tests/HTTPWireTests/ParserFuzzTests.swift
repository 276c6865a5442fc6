import HTTPWire
import Testing

/// Mutated heads: whatever comes, a head that is accepted is forwarded as exactly one head with the same length rule, and
/// the parser says the same however the bytes arrive.
@Suite struct ParserFuzzTests {
    private static let seeds = [
        "GET / HTTP/1.1\r\nhost: a\r\nx-msx-env: one\r\n\r\n",
        "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\nConnection: keep-alive\r\n\r\nhello world",
        "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nbaggage: a=b\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "GET http://a/x HTTP/1.0\r\nHost: a\r\ncookie: msx-env=one\r\ntracestate: msx=two\r\n\r\n",
    ]
    private static let pieces = [
        "\r", "\n", "\r\n", " ", "\t", ":", "\0", "0", "content-length: 3\r\n", "transfer-encoding: chunked\r\n", ",",
        "host: b\r\n", ";", "\r\n\r\n", "\u{7F}", "HTTP/1.1",
    ]

    @Test func acceptedHeadsAreForwardedAsOne() {
        var random = SeededGenerator(state: 0x5EED)
        var accepted = 0
        for _ in 0..<20_000 {
            let bytes = mutate(&random)
            let whole = parseRequest(bytes)
            let split = Int.random(in: 0...bytes.count, using: &random)
            #expect(parseRequest(bytes, split: split) == whole)
            guard case .success(let parsed?) = whole else { continue }
            accepted += 1
            let head = String(decoding: bytes[..<parsed.length], as: UTF8.self)
            guard Array(head.utf8) == Array(bytes[..<parsed.length]) else { continue }
            let text = forward(head, context: "one")
            withRequest(head) { original, _ in
                withRequest(text) { copy, _ in
                    #expect(copy.framing == original.framing)
                    #expect(parseRequest(Array(text.utf8)).isWhole(text.utf8.count))
                }
            }
        }
        #expect(accepted > 1000)
    }

    private func mutate(_ random: inout SeededGenerator) -> [UInt8] {
        var bytes = Array(Self.seeds[Int.random(in: 0..<Self.seeds.count, using: &random)].utf8)
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let position = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes[position] = UInt8.random(in: 0...255, using: &random)
            case 1 where bytes.count > 1: bytes.remove(at: position)
            case 2:
                let end = min(bytes.count, position + Int.random(in: 1...20, using: &random))
                bytes.insert(contentsOf: bytes[position..<end], at: position)
            default:
                let piece = Self.pieces[Int.random(in: 0..<Self.pieces.count, using: &random)]
                bytes.insert(contentsOf: piece.utf8, at: position)
            }
        }
        return bytes
    }
}

/// SplitMix64, so that a failing run can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

extension Result<ParsedRequest?, WireViolation> {
    fileprivate func isWhole(_ length: Int) -> Bool {
        guard case .success(let parsed?) = self else { return false }
        return parsed.length == length
    }
}
