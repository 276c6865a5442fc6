/// Suggests what was meant by a word that is not known.
package enum NearMiss {
    /// `did you mean …?`, or `nil` where nothing is near.
    package static func hint(_ word: String, among known: some Sequence<String>) -> String? {
        nearest(word, among: known).map { "did you mean `\($0)`?" }
    }

    /// The nearest known word, if it is near: up to a third of the letters may differ. The first of equally near ones
    /// in alphabetical order.
    package static func nearest(_ word: String, among known: some Sequence<String>) -> String? {
        guard !word.isEmpty, word.utf8.count <= 64 else { return nil }
        let plainWord = plain(word)
        let limit = max(1, plainWord.count / 3)
        var best: (distance: Int, word: String)?
        for candidate in known {
            let plainCandidate = plain(candidate)
            guard abs(plainCandidate.count - plainWord.count) <= limit else { continue }
            let distance = distance(plainWord, plainCandidate)
            guard distance <= limit else { continue }
            if let best, (best.distance, best.word) <= (distance, candidate) { continue }
            best = (distance, candidate)
        }
        return best?.word
    }

    /// How many letters differ, case and separators aside.
    package static func editDistance(_ left: String, _ right: String) -> Int { distance(plain(left), plain(right)) }

    private static func plain(_ word: String) -> [UInt8] { word.lowercased().utf8.filter { $0 != 0x5F && $0 != 0x2D } }

    /// Damerau–Levenshtein distance, optimal string alignment: insertions, deletions, substitutions, and swaps of
    /// neighbours count one each.
    static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        if left.isEmpty || right.isEmpty { return max(left.count, right.count) }
        var beforeLast = [Int](repeating: 0, count: right.count + 1)
        var last = Array(0...right.count)
        for row in 1...left.count {
            var current = [Int](repeating: row, count: right.count + 1)
            for column in 1...right.count {
                let cost = left[row - 1] == right[column - 1] ? 0 : 1
                var value = min(last[column] + 1, current[column - 1] + 1, last[column - 1] + cost)
                if row > 1, column > 1, left[row - 1] == right[column - 2], left[row - 2] == right[column - 1] {
                    value = min(value, beforeLast[column - 2] + 1)
                }
                current[column] = value
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}
