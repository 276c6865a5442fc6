extension String {
    /// Of a message with details below it: what fits into one line of a history.
    package var firstLine: String { String(split(separator: "\n", maxSplits: 1).first ?? "") }
}
