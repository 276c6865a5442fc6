extension Decoder {
    /// - Throws: `DecodingError.dataCorrupted` that names the first key which is none of `known`.
    func refuseKeys(except known: [String]) throws {
        let keys = try container(keyedBy: AnyKey.self).allKeys.map(\.stringValue).sorted()
        guard let unknown = keys.first(where: { !known.contains($0) }) else { return }
        throw DecodingError.dataCorrupted(
            DecodingError.Context(
                codingPath: codingPath,
                debugDescription: "the body has a key `\(unknown.prefix(80))`, which does not exist; there is: "
                    + known.joined(separator: ", ")))
    }
}

private struct AnyKey: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }

    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}
