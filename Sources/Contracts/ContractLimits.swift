/// What a contract may be at most. Past a limit a document is refused, or a comparison says that it is incomplete.
package enum ContractLimits {
    /// Of a file.
    package static let bytes = 8 << 20
    /// Maps and lists, or messages, inside each other.
    package static let depth = 100
    /// Keys and values of a document, YAML aliases counted as often as they are used.
    package static let nodes = 1_000_000
    /// `$ref` after `$ref` until something stands there.
    package static let references = 64
    /// Parts of one schema that `$ref` and `allOf` bring together.
    package static let parts = 1_000
    /// Pairs of schemas that one comparison looks at.
    package static let pairs = 200_000
    /// Alternatives (`oneOf`, `anyOf`) that are compared with each other where no name says which belong together.
    package static let alternatives = 16
    /// Problems that are told of one document, and changes of one comparison.
    package static let problems = 200
    package static let changes = 1_000
    /// Lines that begin with `%`, in YAML.
    static let directives = 100
}
