/// A Blueprint's tree: of one file, or composed of several. What is stored of a parent, so that children can be composed
/// onto it later.
package struct BlueprintDocument: Sendable, Hashable {
    package var value: LocatedValue

    package init(value: LocatedValue) {
        self.value = value
    }
}

extension BlueprintDocument: Codable {
    package init(from decoder: any Decoder) throws {
        value = try PackedTree(from: decoder).unpacked()
    }

    package func encode(to encoder: any Encoder) throws {
        try PackedTree(value).encode(to: encoder)
    }
}
