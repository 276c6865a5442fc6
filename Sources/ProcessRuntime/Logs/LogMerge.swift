import Runtimes

/// The cursors of several services as one sequence of lines, the earliest first.
struct LogMerge {
    private final class Entry {
        var cursor: LogCursor
        var line: LogLine?
        init(_ cursor: consuming LogCursor) { self.cursor = cursor }
    }

    private let folder: String
    private let services: [String]
    private var entries: [(service: String, entry: Entry)] = []

    init(folder: String, services: [String]) {
        self.folder = folder
        self.services = services
    }

    var count: Int { entries.count }
    var bytesRead: Int { entries.reduce(0) { $0 + $1.entry.cursor.bytesRead } }

    /// Opens what has appeared since the last call.
    mutating func open(_ range: LogRange) {
        for service in FolderListing.names(folder) {
            guard services.isEmpty || services.contains(service) else { continue }
            guard !entries.contains(where: { $0.service == service }) else { continue }
            let cursor = LogCursor(service: service, folder: "\(folder)/\(service)", range: range)
            entries.append((service, Entry(cursor)))
        }
        entries.sort { $0.service < $1.service }
    }

    /// Another one at the same places, of one that has read nothing yet.
    func fresh() -> LogMerge {
        var copy = LogMerge(folder: folder, services: services)
        copy.entries = entries.map { ($0.service, Entry($0.entry.cursor.fresh())) }
        return copy
    }

    /// `nil` at the end of what is stored now.
    mutating func next() -> LogLine? {
        var first: Entry?
        for (_, entry) in entries {
            if entry.line == nil { entry.line = entry.cursor.next() }
            guard let line = entry.line else { continue }
            if let other = first?.line, other.time <= line.time { continue }
            first = entry
        }
        defer { first?.line = nil }
        return first?.line
    }
}
