import Glibc
import Logging

/// What the loggers of a process write to.
package struct ServerLog: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level
    private let label: String
    private let rendering: LogRendering
    private let now: @Sendable () -> Int64
    private let write: @Sendable (String) -> Void

    package init(
        label: String, level: Logger.Level, rendering: LogRendering, now: @escaping @Sendable () -> Int64,
        write: @escaping @Sendable (String) -> Void
    ) {
        self.label = label
        logLevel = level
        self.rendering = rendering
        self.now = now
        self.write = write
    }

    /// For every logger of this process; once.
    ///
    /// - Parameter file: absent for standard error.
    package static func start(
        level: Logger.Level, rendering: LogRendering, file: String?, now: @escaping @Sendable () -> Int64
    ) {
        let file = file.map { LogFile(path: $0) }
        let write: @Sendable (String) -> Void = { line in
            if let file { return file.write(line) }
            let bytes = Array((line + "\n").utf8)
            // Nobody is left to be told that standard error is closed.
            _ = Glibc.write(2, bytes, bytes.count)
        }
        LoggingSystem.bootstrap { ServerLog(label: $0, level: level, rendering: rendering, now: now, write: write) }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(
        level: Logger.Level, message: Logger.Message, metadata own: Logger.Metadata?, source: String, file: String,
        function: String, line: UInt
    ) {
        let fields = metadata.merging(own ?? [:]) { $1 }.mapValues { "\($0)" }
        write(
            rendering.line(time: now(), level: level, logger: label, message: message.description, fields: fields))
    }
}
