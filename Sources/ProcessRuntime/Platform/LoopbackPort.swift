/// Ports of 127.0.0.1.
package enum LoopbackPort {
    /// Whether nothing listens on it just now.
    package static func isFree(_ port: Int) -> Bool { PortCheck.obstacle(port) == nil }
}
