import API
import APIClient

/// Asks for traces again and again and shows each once, when it is whole.
struct TraceFollowing: Sendable {
    let client: APIClient
    let question: TraceQuestion
    /// Milliseconds since 1970.
    let since: Int64?
    let limit: Int

    /// A trace that ended so long ago gets no more hops.
    private static let settled: Int64 = 2_000
    /// Slow requests are shown as well: a trace is found by when it began.
    private static let window: Int64 = 120_000
    private static let pause = Duration.milliseconds(500)

    func run(_ show: (TraceView) throws -> Void) async throws {
        var shown: [String: Int64] = [:]
        var found = try await question.ask(client, since: since, limit: limit)
        var begin = found.last.flatMap { Timestamp.milliseconds($0.startedAt) } ?? since ?? Timestamp.now
        while true {
            let now = Timestamp.now
            for trace in found.reversed() where shown[trace.id] == nil {
                let start = Timestamp.milliseconds(trace.startedAt) ?? now
                // From outside the answer is the last thing to happen; what a service does by itself has no such end.
                guard trace.caller == "edge" || now - start - Int64(trace.durationMilliseconds) > Self.settled else {
                    continue
                }
                shown[trace.id] = start
                try show(trace)
            }
            try await Task.sleep(for: Self.pause)
            begin = max(begin, now - Self.window)
            shown = shown.filter { $0.value >= begin - Self.window }
            found = try await question.ask(client, since: begin, limit: 1000)
        }
    }
}
