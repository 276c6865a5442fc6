import Foundation
import Storage
import Testing

@testable import SQLiteStore

/// The quick reading never says anything else than a JSON parser, and knows every form that is written.
@Suite struct PortPurposeTests {
    private static let purposes: [PortAssignment.Purpose] = ["api", "a-b", "x", "größe", "we\"ird", "back\\slash", ""]
        .flatMap {
            [
                .service($0, port: "http"), .address(caller: $0, service: "db", port: "tcp"),
                .address(caller: nil, service: $0, port: "main"),
            ]
        }

    private static func written(_ purpose: PortAssignment.Purpose) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(purpose))
    }

    @Test(arguments: purposes) func whatIsWrittenIsRead(_ purpose: PortAssignment.Purpose) throws {
        let json = try Self.written(purpose)
        let quick = PortAssignment.Purpose(quickly: json)
        #expect(quick == purpose || quick == nil)
        let isPlain = !json.contains(UInt8(ascii: "\\"))
        #expect((quick != nil) == isPlain)
    }

    @Test(arguments: [
        "", "{}", "null", #"{"service":{"_0":"a"}}"#, #"{"service":{"_0":"a","port":1}}"#,
        #"{"service":{"port":"http","_0":"a"}}"#, #"{"address":{"caller":null,"port":"p","service":"s"}}"#,
        #"{"address": {"port":"p","service":"s"}}"#, #"{"service":{"_0":"a","port":"http"}} "#,
        #"{"service":{"_0":"a\u0062","port":"http"}}"#,
    ]) func whatLooksDifferentIsLeftToTheParser(_ text: String) {
        #expect(PortAssignment.Purpose(quickly: Array(text.utf8)) == nil)
    }
}
