import Testing

@testable import Diagnosis

@Suite struct LinePatternTests {
    @Test(arguments: [
        ("no such program: `{}`", "no such program: `x` in PATH", ["x"]),
        ("role \"{}\" does not exist", "FATAL:  role \"app\" does not exist", ["app"]),
        ("port {} of {}", "port 12 of shop", ["12", "shop"]),
        ("{}: not found", "sh: 1: serve: not found", ["sh: 1: serve"]),
        ("Connection refused", "errno 111: Connection refused", []),
    ])
    func holesTakeWhatStandsThere(_ pattern: String, _ line: String, _ captures: [String]) {
        #expect(LinePattern(pattern).captures(in: line) == captures)
    }

    @Test(arguments: [("a{}b", "b a"), ("relation {} does not exist", "relation exists"), ("x", "")])
    func anotherLineIsNotMatched(_ pattern: String, _ line: String) {
        #expect(LinePattern(pattern).captures(in: line) == nil)
    }
}
