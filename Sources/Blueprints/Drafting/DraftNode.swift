/// A value of a Blueprint that is being written, with comments.
indirect enum DraftNode: Equatable {
    /// Text, in quotes where YAML would take it for something else.
    case text(String)
    /// A number or truth value, without quotes.
    case plain(String)
    case list([DraftNode])
    /// Its fields stand below each other.
    case map([DraftEntry])
    /// Its fields stand in one line where they fit.
    case inline([DraftEntry])

    static func words(_ words: [String]) -> DraftNode { .list(words.map(DraftNode.text)) }

    /// A map in one line.
    static func line(_ fields: [(String, DraftNode)]) -> DraftNode { .inline(fields.map { DraftEntry($0.0, $0.1) }) }
}

struct DraftEntry: Equatable {
    var key: String
    var value: DraftNode
    /// Lines above the key, without `#`.
    var comments: [String] = []
    /// At the end of the line.
    var remark: String?
    var hasBlankLineBefore = false

    init(_ key: String, _ value: DraftNode, comments: [String] = [], remark: String? = nil) {
        self.key = key
        self.value = value
        self.comments = comments
        self.remark = remark
    }
}
