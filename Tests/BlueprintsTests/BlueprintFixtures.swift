import Blueprints
import Foundation
import Testing

/// A Blueprint that is read and checked in one go, as the command line does.
struct Run {
    var checked: CheckedBlueprint?
    var document: BlueprintDocument?
    var diagnostics: [Diagnostic]

    init(
        _ text: String, over parent: BlueprintDocument? = nil, mode: EnvironmentMode? = nil,
        file: String = "blueprint.yaml", folder: String = "/shop"
    ) {
        self.init(bytes: Array(text.utf8), over: parent, mode: mode, file: file, folder: folder)
    }

    init(
        bytes: [UInt8], over parent: BlueprintDocument? = nil, mode: EnvironmentMode? = nil,
        file: String = "blueprint.yaml", folder: String = "/shop"
    ) {
        let (document, diagnostics) = Blueprint.read(bytes, file: file, folder: folder)
        self.document = document
        self.diagnostics = diagnostics
        checked = document.map { Blueprint.check($0, over: parent, mode: mode) }
        self.diagnostics += checked?.diagnostics ?? []
    }

    /// `code@line:column`, in order.
    var found: [String] { diagnostics.map { "\($0.code)@\($0.line):\($0.column)" } }

    var spec: BlueprintSpec? {
        diagnostics.contains { $0.severity == .error } ? nil : checked?.spec
    }

    func diagnostic(_ code: String) -> Diagnostic? { diagnostics.first { $0.code == code } }
}

/// A YAML text and what it must give.
struct Case: Sendable, CustomTestStringConvertible {
    var yaml: String
    var expected: [String]
    var mode: EnvironmentMode?

    init(_ yaml: String, _ expected: String..., mode: EnvironmentMode? = nil) {
        self.yaml = yaml
        self.expected = expected
        self.mode = mode
    }

    /// One service `a` in flow style from line 2; the fields begin at column 1 of line 3.
    static func service(_ fields: String, _ expected: String...) -> Case {
        var new = Case("name: x\nservices: {a: {command: [./a],\n\(fields)}}")
        new.expected = expected
        return new
    }

    var testDescription: String { String(yaml.prefix(90)).replacing("\n", with: "⏎") }
}

/// SplitMix64; the same seed gives the same numbers.
struct SeededRandom: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

enum JSON {
    static func encode(_ value: some Encodable) throws -> Data { try JSONEncoder().encode(value) }
    static func decode<T: Decodable>(_ type: T.Type, from data: Data) throws -> T {
        try JSONDecoder().decode(type, from: data)
    }
}
