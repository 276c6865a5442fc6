import ArgumentParser

/// What `--since` may say: how long ago, or a point in time.
enum Since {
    /// - Throws: `ValidationError`.
    static func check(_ text: String?) throws {
        guard let text, TimeLimit(argument: text) == nil, Timestamp.milliseconds(text) == nil else { return }
        throw ValidationError("--since is `\(text)`, which is neither like 10m nor like 2026-11-20T19:24:05Z")
    }
}
