import EnvironmentGraph

/// Remembers when services' processes ended, to tell a mishap from a circle. Of one environment; a value.
struct ProcessEnds: Sendable {
    struct End: Sendable, Hashable {
        /// The instance.
        var service: String
        var generation: Int
        /// More than one where several ends were told at once.
        var count: Int
        var message: String
    }

    struct Loop: Sendable, Hashable {
        var count: Int
        var last: String

        func message(_ service: String) -> String {
            "\(service) ends again and again: \(count) times within \(ProcessEnds.window / 60_000) min, last: \(last)"
        }
    }

    /// Milliseconds.
    static let window: Int64 = 5 * 60_000
    /// So many ends within ``window`` are a circle.
    static let limit = 4
    /// Milliseconds without another end after which it is none any more.
    static let quiet: Int64 = 60_000

    private struct Memory {
        var times: [Int64] = []
        var last = ""
    }

    private var services: [String: Memory] = [:]

    mutating func add(_ end: End, at now: Int64) {
        var memory = services[end.service] ?? Memory()
        // More than these would say nothing else.
        memory.times = (memory.times + Array(repeating: now, count: min(end.count, 100))).suffix(100)
        memory.last = end.message
        services[end.service] = memory
    }

    /// The services that go in circles now.
    mutating func loops(at now: Int64) -> [String: Loop] {
        var loops: [String: Loop] = [:]
        for (name, var memory) in services {
            memory.times.removeAll { $0 <= now - Self.window }
            services[name] = memory.times.isEmpty ? nil : memory
            guard memory.times.count >= Self.limit, let last = memory.times.last, now - last < Self.quiet else {
                continue
            }
            loops[name] = Loop(count: memory.times.count, last: memory.last)
        }
        return loops
    }
}
