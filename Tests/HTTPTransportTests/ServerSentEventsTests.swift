import HTTPTransport
import Testing

@Suite struct ServerSentEventsTests {
    typealias Event = ServerSentEvents.Event

    private static func parse(_ stream: String, pieces: Int = .max) -> [Event] {
        var parser = ServerSentEvents.Parser()
        var rest = Array(stream.utf8)[...]
        var events: [Event] = []
        while !rest.isEmpty {
            events += parser.feed(Array(rest.prefix(pieces)))
            rest = rest.dropFirst(pieces)
        }
        return events
    }

    @Test func theBytesAreThoseOfTheSpecification() {
        #expect(text(ServerSentEvents.encode(data: "a")) == "data: a\n\n")
        #expect(
            text(ServerSentEvents.encode(event: "step", id: "7", data: "a\nb"))
                == "event: step\nid: 7\ndata: a\ndata: b\n\n")
        #expect(text(ServerSentEvents.encode(data: "")) == "data: \n\n")
        #expect(
            text(ServerSentEvents.encode(event: "a\ndata: x", id: "1\r\n2", data: "y"))
                == "event: adata: x\nid: 12\ndata: y\n\n")
    }

    @Test(arguments: [1, 2, 3, 7, 1000]) func theSpecificationsExamplesParseHoweverTheyAreCut(pieces: Int) {
        // The examples of WHATWG HTML, section 9.2.6.
        #expect(
            Self.parse("data: YHOO\ndata: +2\ndata: 10\n\n", pieces: pieces) == [Event(data: "YHOO\n+2\n10")])
        #expect(
            Self.parse(
                ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third\n\n", pieces: pieces
            )
                == [
                    Event(id: "1", data: "first event"), Event(id: "", data: "second event"),
                    Event(id: "", data: " third"),
                ])
        #expect(Self.parse("data\n\ndata\ndata\n\ndata:", pieces: pieces) == [Event(data: ""), Event(data: "\n")])
        #expect(
            Self.parse("data:test\n\ndata: test\n\n", pieces: pieces) == [Event(data: "test"), Event(data: "test")])
    }

    @Test(arguments: ["\n", "\r", "\r\n"], [1, 2, 5, 100]) func everyLineEndingIsOne(ending: String, pieces: Int) {
        let stream = ["event: a", "data: 1", "data: 2", "", ":", "", "data: 3", "", ""].joined(separator: ending)
        #expect(Self.parse(stream, pieces: pieces) == [Event(event: "a", data: "1\n2"), Event(data: "3")])
    }

    @Test func whatIsNotDataGivesNoEvent() {
        #expect(Self.parse("event: a\n\n:\n\nretry: 10\nother: x\n\n\n\ndata: cut off").isEmpty)
        #expect(Self.parse("\u{FEFF}data: a\n\n") == [Event(data: "a")])
        #expect(Self.parse("id: 1\u{0}\ndata: a\n\n") == [Event(data: "a")])
        #expect(Self.parse(text(ServerSentEvents.keepAlive)).isEmpty)
    }

    @Test(arguments: ["", "a", "a\nb", "a\r\nb\rc", "\n", "\n\n", ": x", " lead", "ünï\u{1F600}", "data: x\n\nid: 1"])
    func whatWasEncodedComesBack(data: String) {
        var parser = ServerSentEvents.Parser()
        let events = parser.feed(ServerSentEvents.encode(event: "e", id: "i", data: data))
        var expected: [UInt8] = []
        for byte in data.utf8 {
            if byte == 10, expected.last == 13 { expected.removeLast() }
            expected.append(byte)
        }
        let normal = text(expected.map { $0 == 13 ? 10 : $0 })
        #expect(events == [Event(event: "e", id: "i", data: normal)])
        #expect(parser.lastEventID == "i")
    }

    @Test func anEventOverTheLimitIsDroppedWholeAndCounted() {
        var parser = ServerSentEvents.Parser(maxEventBytes: 100)
        let long = String(repeating: "x", count: 200)
        let many = String(repeating: "data: 0123456789\n", count: 20)
        let events = parser.feed(Array("data: \(long)\n\n\(many)\ndata: small\n\n".utf8))
        #expect(events == [Event(data: "small")])
        #expect(parser.oversized == 2)
    }
}
