import Foundation

/// By how much this process has grown while `body` ran, at least: other tests run at the same time, so what is over the limit
/// is looked at again, up to five times. What `body` itself costs is there every time.
///
/// - Parameter body: is given the resident bytes at its beginning, and returns those at its peak.
func leastGrowth(under limit: Int, _ body: (_ before: Int) async throws -> Int) async throws -> Int {
    var least = Int.max
    for _ in 0..<5 where least >= limit {
        let before = residentBytes()
        least = min(least, try await body(before) - before)
    }
    return least
}

func residentBytes() -> Int {
    // Not on Linux: then nothing is measured, and nothing is said about memory.
    let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? "0 0"
    return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4096
}
