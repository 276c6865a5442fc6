/// The segment files of one service: `logs/<service>/000001.log`, `000002.log`, …; never renamed, so that a reader that
/// has one open is not disturbed by rotation.
struct LogSegments: Sendable {
    let folder: String

    func path(_ number: Int) -> String {
        let digits = String(number)
        return "\(folder)/\(String(repeating: "0", count: max(0, 6 - digits.count)))\(digits).log"
    }

    /// In the order of writing.
    func numbers() -> [Int] {
        FolderListing.names(folder).compactMap { $0.hasSuffix(".log") ? Int($0.dropLast(4)) : nil }.sorted()
    }
}
