/// What a value of a Blueprint may be.
package indirect enum GrammarShape: Sendable {
    /// Any scalar; where a pattern is given, it is a regular expression that the whole text matches.
    case text(pattern: String? = nil, examples: [String] = [])
    /// Text that is one of these.
    case choice([String])
    case boolean
    /// A whole number, also one that is written in quotes.
    case whole(ClosedRange<Int>)
    case number(ClosedRange<Double>)
    case list(GrammarShape)
    /// A map from any key.
    case map(GrammarShape)
    /// A map whose keys are known.
    case fields(GrammarMap)
    /// A list of things with names; `asText` is a short way to write one of them, `asMap` whether a map by name will do.
    case named(GrammarMap, asText: GrammarShape? = nil, asMap: Bool = false)
    case oneOf([GrammarShape])
    /// A map that is not looked into.
    case anyMap

    static let texts = GrammarShape.list(.text())
}

/// A map whose keys are known.
package struct GrammarMap: Sendable {
    /// Of the schema's definition: `service`, `port`.
    package let name: String
    package let about: String
    /// In the order in which ``Blueprint/format(_:file:)`` writes them.
    package let fields: [GrammarField]
    /// The keys that a checker takes.
    package let keys: [String]

    /// One of a list of things that are merged by name.
    var isNamedThing: Bool { field("remove") != nil }

    init(_ name: String, _ about: String, _ fields: [GrammarField]) {
        self.name = name
        self.about = about
        self.fields = fields
        self.keys = fields.map(\.name)
    }

    package func field(_ name: String) -> GrammarField? { fields.first { $0.name == name } }
}

/// A key with what it takes and means.
package struct GrammarField: Sendable {
    package var name: String
    package var shape: GrammarShape
    /// For whoever writes a Blueprint, in a sentence.
    package var about: String
    /// What counts where nothing is written, in JSON.
    package var usual: String?
    /// Whether a file without it can never be right, not even as an overlay.
    package var isRequired: Bool

    init(
        _ name: String, _ shape: GrammarShape, _ about: String, usual: String? = nil, isRequired: Bool = false
    ) {
        self.name = name
        self.shape = shape
        self.about = about
        self.usual = usual
        self.isRequired = isRequired
    }
}
