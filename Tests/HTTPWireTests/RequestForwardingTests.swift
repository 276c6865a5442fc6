import HTTPWire
import Testing

@Suite struct RequestForwardingTests {
    private let forwarded = "x-forwarded-for: 127.0.0.1\r\nx-forwarded-proto: http\r\nx-forwarded-host: a:80\r\n"

    @Test func writesTheContextIntoThreeCarriers() {
        #expect(
            forward("GET /p?q HTTP/1.1\r\nHost: a:80\r\nAccept: */*\r\n\r\n", context: "one")
                == "GET /p?q HTTP/1.1\r\nHost: a:80\r\nAccept: */*\r\n" + forwarded
                + "x-msx-env: one\r\nbaggage: msx-env=one\r\ntracestate: msx=one\r\n"
                + "traceparent: 00-00000000000000010000000000000003-0000000000000003-01\r\n\r\n")
    }

    @Test func withoutContextOnlyATraceIsMade() {
        #expect(
            forward("GET / HTTP/1.1\r\nHost: a:80\r\nbaggage: k=v\r\n\r\n")
                == "GET / HTTP/1.1\r\nHost: a:80\r\nbaggage: k=v\r\n" + forwarded
                + "traceparent: 00-00000000000000010000000000000003-0000000000000003-01\r\n\r\n")
    }

    @Test func theNextHopsParentIsThisHop() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        let text = forward("GET / HTTP/1.1\r\nHost: a\r\nTraceparent:  00-\(trace)-00f067aa0ba902b7-00 \r\n\r\n")
        #expect(text.contains("traceparent: 00-\(trace)-0000000000000003-00\r\n"))
        // Of a later version nobody here knows what may be changed, and of two nobody knows which one counts.
        let later = "traceparent: 01-\(trace)-00f067aa0ba902b7-00-more\r\n"
        #expect(forward("GET / HTTP/1.1\r\nHost: a\r\n\(later)\r\n").contains(later))
        let twice = "traceparent: 00-\(trace)-00f067aa0ba902b7-00\r\n"
        #expect(forward("GET / HTTP/1.1\r\nHost: a\r\n\(twice)\(twice)\r\n").contains(twice + twice))
        #expect(forward("GET / HTTP/1.1\r\nHost: a\r\n\(twice)\r\n", propagates: false).contains(twice))
    }

    @Test func withoutPropagationOurMembersGoAndNothingElse() {
        let others = "traceparent: 00-1-2-01\r\nb: 1\r\n"
        #expect(
            forward(
                "GET / HTTP/1.1\r\nHost: a:80\r\nx-msx-env: one\r\nbaggage: msx-env=one\r\ntracestate: x=1,msx=one\r\n"
                    + others + "\r\n", context: "one", propagates: false)
                == "GET / HTTP/1.1\r\nHost: a:80\r\n" + others + forwarded + "tracestate: x=1\r\n\r\n")
        #expect(
            forward("GET / HTTP/1.1\r\nHost: a:80\r\nbaggage: k=v,l=w\r\nbaggage: m=x\r\n\r\n", propagates: false)
                == "GET / HTTP/1.1\r\nHost: a:80\r\nbaggage: k=v,l=w\r\nbaggage: m=x\r\n" + forwarded + "\r\n")
    }

    @Test func baggageIsMergedNeverReplaced() {
        let members = (0..<64).map { "key\($0)=" + String(repeating: "v", count: 118) + ";p=\($0)" }
        let head =
            "GET / HTTP/1.1\r\nHost: a\r\nbaggage: \(members[..<30].joined(separator: ","))\r\n"
            + "Baggage: msx-env=old,\(members[30...].joined(separator: " , "))\r\n\r\n"
        let line = forward(head, context: "one").split(separator: "\r\n").filter { $0.hasPrefix("baggage") }
        #expect(line == ["baggage: msx-env=one," + members.joined(separator: ",")])
        #expect((line.first?.utf8.count ?? 0) > 8192)
    }

    @Test func tracestateKeepsThirtyTwo() {
        let members = (0..<32).map { "v\($0)=1" }.joined(separator: ",")
        let text = forward("GET / HTTP/1.1\r\nHost: a\r\ntracestate: \(members)\r\n\r\n", context: "one")
        #expect(text.contains("tracestate: msx=one,v0=1,"))
        #expect(text.contains("v30=1\r\n"))
        #expect(!text.contains("v31"))
    }

    @Test func hopByHopFieldsGo() {
        let text = forward(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: x-hop, keep-alive, content-length, host\r\nX-Hop: 1\r\nKeep-Alive: 5\r\n"
                + "TE: trailers\r\nProxy-Connection: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        for gone in ["x-hop", "keep-alive", "te:", "proxy-connection", "\r\nconnection"] {
            #expect(!text.lowercased().contains(gone), "\(gone)")
        }
        #expect(text.contains("Host: a\r\n"))
        #expect(text.contains("content-length: 3\r\n"))
        #expect(text.contains("Expect: 100-continue\r\n"))
    }

    @Test func forwardedFieldsAreAppendedTo() {
        let text = forward(
            "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 2.2.2.2\r\nX-Forwarded-Host: b\r\n\r\n"
        )
        #expect(text.contains("x-forwarded-for: 1.1.1.1, 2.2.2.2, 127.0.0.1\r\n"))
        #expect(text.contains("x-forwarded-host: b, a\r\n"))
    }

    @Test(arguments: [("http://a/p", "/p"), ("http://a", "/"), ("http://A?q", "/?q"), ("/", "/")])
    func absoluteFormBecomesOriginForm(_ target: String, _ expected: String) {
        #expect(forward("GET \(target) HTTP/1.1\r\nhost: a\r\n\r\n").hasPrefix("GET \(expected) HTTP/1.1\r\n"))
    }

    @Test func aForwardedHeadIsAGoodHead() {
        let text = forward("POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: chunked\r\n\r\n", context: "one")
        withRequest(text) { request, _ in #expect(request.framing == .chunked) }
    }
}
