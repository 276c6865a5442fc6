import Contracts
import Testing

/// What is wrong with one document, and that bad input always has an answer.
@Suite struct ProblemTests {
    static let openapi: [(String, String)] = [
        ("error empty_contract 1:1", ""),
        ("error not_a_contract 1:1", "- a\n"),
        ("error not_a_contract 1:1", "name: shop\n"),
        ("error unknown_version 1:10", "openapi: 2.9.9\n"),
        ("error unknown_version 1:10", "swagger: '1.2'\n"),
        ("error json_syntax 1:13", "{\"openapi\": tru]}"),
        ("error duplicate_key 3:1", "openapi: 3.0.0\npaths: {}\npaths: {}\ninfo: {title: a, version: a}\n"),
        ("error wrong_path 3:2", "openapi: 3.0.0\npaths:\n a: {}\ninfo: {title: a, version: a}\n"),
        (
            "error ambiguous_path 4:2",
            "openapi: 3.0.0\npaths:\n /a/{b}: {}\n /a/{c}: {}\ninfo: {title: a, version: a}\n"
        ),
        ("error missing_field 3:7", "openapi: 3.0.0\npaths:\n /a: {get: {}}\ninfo: {title: a, version: a}\n"),
        (
            "error wrong_status 3:25",
            "openapi: 3.0.0\npaths:\n /a: {get: {responses: {ok: {description: x}}}}\ninfo: {title: a, version: a}\n"
        ),
        (
            "error unknown_reference 3:37",
            "openapi: 3.0.0\npaths:\n /a: {get: {responses: {200: {$ref: '#/nowhere'}}}}\ninfo: {title: a, version: a}\n"
        ),
        (
            "warning outside_reference 3:37",
            "openapi: 3.0.0\npaths:\n /a: {get: {responses: {200: {$ref: 'b.yaml'}}}}\ninfo: {title: a, version: a}\n"
        ),
        (
            "error wrong_location 3:26",
            "openapi: 3.0.0\npaths:\n /a: {get: {parameters: [{name: a, in: body}], responses: {}}}\ninfo: {title: a, version: a}\n"
        ),
        (
            "error duplicate_parameter 3:47",
            "openapi: 3.0.0\npaths:\n /a: {get: {parameters: [{name: a, in: query},{name: a, in: query}], responses: {}}}\ninfo: {title: a, version: a}\n"
        ),
        (
            "warning undeclared_path_parameter 3:11",
            "openapi: 3.0.0\npaths:\n /a/{b}: {get: {responses: {}}}\ninfo: {title: a, version: a}\n"
        ),
        ("warning missing_field 1:1", "openapi: 3.0.0\npaths: {}\n"),
    ]

    static let proto: [(String, String)] = [
        ("error proto_syntax 1:11", "message A "),
        ("error proto_syntax 1:22", "message A { string a }"),
        ("error proto_syntax 1:1", "/* a"),
        ("error not_supported_yet 1:1", "edition = \"2023\";"),
        (
            "error duplicate_number 1:50",
            "syntax = \"proto3\"; message A { int32 a = 1; int32 b = 1; }".replacing("; int32 b", with: ";int32 b")
        ),
        ("error wrong_number 1:38", "syntax = \"proto3\"; message A { int32 a = 19000; }"),
        ("error reserved 1:50", "syntax = \"proto3\"; message A { reserved 2; int32 a = 2; }"),
        ("error unknown_type 1:34", "syntax = \"proto3\"; message A { B a = 1; }"),
        ("error duplicate_name 1:41", "syntax = \"proto3\"; message A {} message A {}"),
        ("error wrong_number 1:29", "syntax = \"proto3\"; enum E { A = 1; }"),
    ]

    @Test func everyProblemHasItsPlace() {
        for (file, cases) in [("a.yaml", Self.openapi), ("a.proto", Self.proto)] {
            for (expected, text) in cases {
                let (document, problems) = ContractDocument.read(Array(text.utf8), file: file)
                let found = problems.map { "\($0.severity) \($0.code) \($0.place.line):\($0.place.column)" }
                #expect(found == [expected], "\(text)")
                if document == nil { #expect(problems.contains { $0.severity == .error }) }
            }
        }
    }

    private func answers(_ bytes: [UInt8], _ file: String) {
        let (document, problems) = ContractDocument.read(bytes, file: file)
        guard let document else {
            #expect(problems.contains { $0.severity == .error })
            return
        }
        #expect(breakingChanges(from: document, to: document) == [])
    }

    @Test(.timeLimit(.minutes(1))) func hostileFilesAreAnsweredSoon() {
        func many(_ text: String, _ count: Int) -> String { String(repeating: text, count: count) }
        let head = "openapi: 3.1.0\ninfo: {title: a, version: a}\n"
        let use =
            "paths: {/a: {get: {responses: {200: {content: {a/b: {schema: {$ref: '#/components/schemas/S0'}}}}}}}}\n"
        let laughs = (1..<30).map { "l\($0): &l\($0) [*l\($0 - 1), *l\($0 - 1)]\n" }.joined()
        let chain = (0..<3_000).map {
            "  S\($0): {type: object, properties: {next: {$ref: '#/components/schemas/S\($0 + 1)'}}}\n"
        }.joined()
        let circle = (0..<100).map { "  S\($0): {$ref: '#/components/schemas/S\(($0 + 1) % 100)'}\n" }.joined()
        let parts = (0..<12).map { number in
            "  S\(number): {allOf: [{$ref: '#/components/schemas/S\(number + 1)'}, {properties: {a: {$ref: '#/components/schemas/S\(number + 1)'}, b: {$ref: '#/components/schemas/S\((number + 5) % 12)'}}}]}\n"
        }.joined()
        let choices = (0..<40).map { number in
            "  S\(number): {oneOf: [{properties: {a: {$ref: '#/components/schemas/S\(number + 1)'}}}, {properties: {b: {$ref: '#/components/schemas/S\(number + 1)'}}}, {properties: {c: {$ref: '#/components/schemas/S\(number + 1)'}}}]}\n"
        }.joined()
        let texts = [
            many("[", 100_000), many("{\"a\":", 100_000), "{" + many("a: {", 50_000), "l0: &l0 [a]\n" + laughs,
            many("%TAG !a! b\n", 5_000),
            head + use + "components:\n schemas:\n" + chain + "  S3000: {type: string}\n",
            head + use + "components:\n schemas:\n" + circle,
            head + use + "components:\n schemas:\n" + parts + "  S12: {type: object}\n",
            head + use + "components:\n schemas:\n" + choices + "  S40: {type: object}\n",
            "{\"openapi\": \"3.0.0\", \"paths\": {" + many("\"/a\": {},", 10) + "}}", "\u{0}\u{1}", "&a *a",
            "{\"a\": \"\\ud83d\"}",
        ]
        for text in texts {
            answers(Array(text.utf8), "a.yaml")
        }
        answers([0xFF, 0xFE, 0x20], "a.yaml")
        answers([0xC3, 0x28], "a.json")
        answers([UInt8](repeating: 0x20, count: ContractLimits.bytes + 1), "a.yaml")
        let protos = [
            many("message A {", 100_000), many("{", 100_000), "option a = " + many("{", 100_000), many("/*", 10_000),
            "message A { map<",
            "message A { reserved 5 to 1; }", "message A { int32 a = 99999999999999999999; }", "enum E { A = -; }",
            "\"", "message A { option",
            "service S { rpc A(stream) returns (stream) ; }", "message A { int32 a = 1 [", "package",
            "message A { reserved 1 to max, 3; }",
        ]
        for text in protos { answers(Array(text.utf8), "a.proto") }
    }
}
