import Foundation

/// What was last seen of a condition that never came true.
package struct NeverHappened: Error, CustomStringConvertible {
    package let description: String

    package init(description: String) { self.description = description }
}

/// Asks again and again until `condition` gives a value, and returns it. Tests wait with this, never with a fixed pause.
///
/// - Parameters:
///   - what: names the condition in the failure.
///   - lastSeen: describes the state that the condition looked at, for the failure's text.
@discardableResult
package func eventually<T>(
    _ what: String, within limit: Duration = .seconds(20), every period: Duration = .milliseconds(20),
    lastSeen: () async -> String = { "" }, _ condition: () async throws -> T?
) async throws -> T {
    let clock = ContinuousClock()
    let deadline = clock.now + limit
    while true {
        if let value = try await condition() { return value }
        guard clock.now < deadline else {
            throw NeverHappened(description: "\(what) did not happen within \(limit). Last seen: \(await lastSeen())")
        }
        try await clock.sleep(for: period)
    }
}

/// A folder that exists for as long as `body` runs.
package func withTemporaryFolder<T>(_ body: (String) async throws -> T) async throws -> T {
    let path = NSTemporaryDirectory() + "msx-" + String(UInt32.random(in: 0...UInt32.max), radix: 36)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    // A leftover temporary folder fails no test.
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
}
