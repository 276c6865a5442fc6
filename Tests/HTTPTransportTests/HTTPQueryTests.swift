import HTTPTransport
import Testing

@Suite struct HTTPQueryTests {
    @Test func parametersAreDecodedAndTheFirstOfANameWins() {
        #expect(
            HTTPQuery.parse("/a?x=1&y=a%20b+c&x=2&flag&empty=&=v#f") == [
                "x": "1", "y": "a b c", "flag": "", "empty": "", "": "v",
            ])
        #expect(HTTPQuery.parse("/a") == [:])
        #expect(HTTPQuery.parse("/a?") == [:])
        #expect(HTTPQuery.parse("/a?b=c=d&%6e%C3%A4=%F0%9F%98%80") == ["b": "c=d", "nä": "😀"])
    }

    @Test func whatDoesNotDecodeIsLeftOut() {
        #expect(HTTPQuery.parse("/?a=%zz&b=%4&c=%FF&ok=1&%=2") == ["ok": "1"])
        #expect(HTTPQuery.percentDecode("%") == nil)
        #expect(HTTPQuery.percentDecode("%C3") == nil)
        #expect(HTTPQuery.percentDecode("a+b%2f") == "a+b/")
    }

    @Test(arguments: ["", "plain-._~", "a b/c?d=e&f#g%", "ünï😀", "\u{0}\n"]) func whatWasEncodedComesBack(text: String)
    {
        let encoded = HTTPQuery.percentEncode(text)
        #expect(HTTPQuery.percentDecode(encoded) == text)
        #expect(
            encoded.utf8.allSatisfy {
                "%-._~".utf8.contains($0) || ($0 < 128 && Character(.init($0)).isLetter)
                    || Character(.init($0)).isNumber
            })
        #expect(HTTPQuery.parse("/?a=\(encoded)") == ["a": text])
    }

    @Test func requestsSplitTheirTarget() {
        let request = HTTPRequest("GET", "/v1/logs?follow=true&since=1%3A2")
        #expect(request.path == "/v1/logs")
        #expect(request.query == ["follow": "true", "since": "1:2"])
    }
}
