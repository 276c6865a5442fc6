/// What a local server writes into `server.json` of its state folder when it listens, so that clients find it.
package struct ServerAnnouncement: Codable, Sendable, Hashable {
    package var pid: Int32
    /// The process's start in clock ticks since boot (`/proc/<pid>/stat`), because a pid alone is reused.
    package var startTime: UInt64?
    package var socket: String
    package var version: String

    package init(pid: Int32, startTime: UInt64?, socket: String, version: String) {
        self.pid = pid
        self.startTime = startTime
        self.socket = socket
        self.version = version
    }
}
