import HTTPWire
import Testing

@Suite struct ContextCarriersTests {
    private struct Found: Equatable {
        var context: String?
        var disagrees = false
        var cookie: String?
        var violation: ContextCarriers.Violation?
    }

    private func read(_ fields: [String], headerName: String = "x-msx-env") -> Found {
        withRequest("GET / HTTP/1.1\r\nhost: a\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n") { request, bytes in
            let carriers = Array(headerName.utf8).withUnsafeBytes {
                ContextCarriers(request.head, bytes, headerName: $0)
            }
            return Found(
                context: carriers.context.map { text($0, bytes) }, disagrees: carriers.disagrees,
                cookie: carriers.cookie.map { text($0, bytes) }, violation: carriers.violation)
        }
    }

    @Test func eachCarrier() {
        #expect(read([]) == Found())
        #expect(read(["X-MSX-Env: one"]) == Found(context: "one"))
        #expect(read(["x-shop-env: one"], headerName: "x-shop-env") == Found(context: "one"))
        #expect(read(["x-msx-env: one"], headerName: "x-shop-env") == Found())
        #expect(read(["baggage: k=v;p=q, msx-env = one ;prop=1"]) == Found(context: "one"))
        #expect(read(["baggage: k=v", "baggage: msx-env=one"]) == Found(context: "one"))
        #expect(read(["tracestate: a@b=1,msx=one"]) == Found(context: "one"))
        #expect(read(["cookie: a=b; msx-env=one"]) == Found(cookie: "one"))
        #expect(read(["baggage: xmsx-env=one,msx-envx=two", "tracestate: msxx=1"]) == Found())
        // Somebody meant a context.
        #expect(read(["baggage: MSX-ENV=three"]).violation == .notALabel)
        #expect(read(["baggage: a=b,msx-env"]).violation == .notALabel)
        #expect(read(["tracestate: Msx=one"]).violation == .notALabel)
    }

    @Test func theEarlierWins() {
        #expect(
            read(["tracestate: msx=three", "baggage: msx-env=two", "x-msx-env: one"])
                == Found(context: "one", disagrees: true))
        #expect(read(["tracestate: msx=three", "baggage: msx-env=two"]) == Found(context: "two", disagrees: true))
        #expect(read(["x-msx-env: one", "baggage: msx-env=one"]) == Found(context: "one"))
    }

    @Test func whatNobodyCanMean() {
        #expect(read(["x-msx-env:"]).violation == .emptyHeader)
        #expect(read(["x-msx-env: one", "x-msx-env: two"]).violation == .differingHeaders)
        #expect(read(["x-msx-env: one", "x-msx-env: one"]) == Found(context: "one"))
        for value in ["a.b", "-a", "a-", "a b", "a_b", "é", String(repeating: "a", count: 64), "a,b"] {
            #expect(read(["x-msx-env: \(value)"]).violation == .notALabel, "\(value)")
        }
        #expect(read(["baggage: msx-env="]).violation == .notALabel)
        #expect(read(["tracestate: msx=a_b"]).violation == .notALabel)
    }

    @Test(arguments: [
        ("Payments.Shop.LOCALHOST:7080", "Payments", "Shop"), ("a.b.localhost", "a", "b"),
        ("a--x.b.localhost.", "a--x", "b"), ("a--x.b.localhost.:80", "a--x", "b"),
    ])
    func edgeHosts(_ host: String, _ label: String, _ environment: String) {
        Array(host.utf8).withUnsafeBytes { bytes in
            let found = EdgeHost(ByteRange(0, bytes.count), in: bytes)
            #expect(found.map { text($0.label, bytes) } == label)
            #expect(found.map { text($0.environment, bytes) } == environment)
        }
    }

    @Test(arguments: [
        "localhost", "a.localhost", "a.b.c.localhost", "a.b.example", ".b.localhost", "a..localhost", "", ":80",
    ])
    func otherHosts(_ host: String) {
        Array(host.utf8).withUnsafeBytes { bytes in
            #expect(EdgeHost(ByteRange(0, bytes.count), in: bytes) == nil)
        }
    }
}
