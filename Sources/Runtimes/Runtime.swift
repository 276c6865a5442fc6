import EnvironmentGraph

/// A place where services run. Every driver passes the same conformance suite.
///
/// All operations are idempotent and level-triggered: they say what should be, can be repeated after a crash, and are
/// not tied to the life of the server that calls them. Everything created carries its environment's id, so that it can
/// be found by asking the runtime (``environments()``), not only by remembering.
package protocol Runtime: Sendable {
    /// Makes sure that this workload runs, in this generation. Returns as soon as it is on its way; ``observe(_:)`` and
    /// ``changes(of:)`` tell how it went.
    func apply(_ workload: Workload) async throws

    /// Stops a service and everything that it started; returns when nothing of it runs any more. Its volumes and logs
    /// stay. A service that is not there is no error.
    func stop(_ service: String, of environment: EnvironmentID) async throws

    /// The status of every workload of an environment, sorted by service; empty where there is none.
    func observe(_ environment: EnvironmentID) async throws -> [WorkloadStatus]

    /// All statuses now, and again after every change, until the caller stops iterating. Fast changes may be merged;
    /// the last is always delivered.
    func changes(of environment: EnvironmentID) -> AsyncThrowingStream<[WorkloadStatus], any Error>

    /// Runs a command to its end in a service's folder, user and environment, and gives its exit code and the last
    /// 64 KiB of its output. `input` is its standard input. `extraEnv` wins over the service's own environment.
    func run(_ command: RuntimeCommand, in service: String, of environment: EnvironmentID) async throws
        -> RuntimeCommandResult

    /// Starts a command in a service's folder, user and environment, beside the service and whether or not that runs, and
    /// hands over its streams. The command and everything that it started end with the session.
    ///
    /// - Throws: ``RuntimeError`` `notFound` for a service that was never applied, `programNotFound`,
    ///   `programNotRunnable`.
    func exec(_ command: ExecCommand, in service: String, of environment: EnvironmentID) async throws
        -> any ExecSession

    /// The stored lines, oldest first, merged over services by time; then, with `follow`, new ones as they come.
    func logs(of environment: EnvironmentID, _ query: LogQuery) -> AsyncThrowingStream<LogLine, any Error>

    /// The same lines in the same order, as many at once as there are without waiting (and without growing large).
    func logPages(of environment: EnvironmentID, _ query: LogQuery) -> AsyncThrowingStream<[LogLine], any Error>

    /// The folder or handle of a service's volume, where the runtime has one.
    func volumePath(_ volume: String, of service: String, in environment: EnvironmentID) -> String?

    /// Stops everything of the environment and removes all that it left: processes, volumes, logs, files.
    /// Returns when nothing is left; throws ``RuntimeError`` naming what is left otherwise.
    func delete(_ environment: EnvironmentID) async throws

    /// Looks deeper than ``observe(_:)``, for those who search for the reason of a fault; takes longer, changes nothing.
    func inspect(_ environment: EnvironmentID) async throws -> WorkloadInspection

    /// What each workload of an environment uses just now, sorted by service; changes and starts nothing. Nothing is
    /// measured while nobody asks.
    ///
    /// - Parameter withRates: also ``WorkloadMetrics/cpuPercent``, for which the first call in a while takes half a
    ///   second longer.
    func metrics(of environment: EnvironmentID, withRates: Bool) async throws -> [WorkloadMetrics]

    /// What somebody else did to what the runtime keeps of an environment; changes nothing.
    ///
    /// - Parameter volumes: which the caller knows to have been made.
    func irregularities(of environment: EnvironmentID, volumes: [VolumeName]) async throws -> [Irregularity]

    /// Writes its own files of the environment again, as they should be. What cannot be read is put aside, so that every
    /// workload can be applied anew.
    func restoreFiles(of environment: EnvironmentID) async throws

    /// Every environment of which the runtime has anything, known to the store or not.
    func environments() async throws -> [EnvironmentID]
}

package struct RuntimeCommand: Sendable, Hashable, Codable {
    package var command: [String]
    package var input: String
    package var extraEnv: [String: String]
    package var timeoutSeconds: Double

    package init(
        _ command: [String], input: String = "", extraEnv: [String: String] = [:], timeoutSeconds: Double = 600
    ) {
        self.command = command
        self.input = input
        self.extraEnv = extraEnv
        self.timeoutSeconds = timeoutSeconds
    }
}

package struct RuntimeCommandResult: Sendable, Hashable, Codable {
    /// 128 + signal where a signal ended it.
    package var exitCode: Int32
    /// Standard output and standard error as they came, the last 64 KiB.
    package var output: String
    package var timedOut: Bool

    package init(exitCode: Int32, output: String, timedOut: Bool = false) {
        self.exitCode = exitCode
        self.output = output
        self.timedOut = timedOut
    }
}

package struct LogQuery: Sendable, Hashable, Codable {
    /// Empty for all.
    package var services: [String]
    package var follow: Bool
    /// Only the last so many lines of what is stored; `nil` for all.
    package var tail: Int?
    /// Milliseconds since 1970; only lines at or after it.
    package var since: Int64?
    /// Only the previous run of each service: from its last start but one to its last start. Nothing of a service that
    /// was started once. Does not go together with `follow`.
    package var previous: Bool

    package init(
        services: [String] = [], follow: Bool = false, tail: Int? = nil, since: Int64? = nil, previous: Bool = false
    ) {
        self.services = services
        self.follow = follow
        self.tail = tail
        self.since = since
        self.previous = previous
    }
}

extension Runtime {
    /// One line each.
    package func logPages(
        of environment: EnvironmentID, _ query: LogQuery
    ) -> AsyncThrowingStream<[LogLine], any Error> {
        let lines = SinglePages(logs(of: environment, query))
        return AsyncThrowingStream { try await lines.next() }
    }
}

private actor SinglePages {
    private var lines: AsyncThrowingStream<LogLine, any Error>.Iterator

    init(_ lines: AsyncThrowingStream<LogLine, any Error>) { self.lines = lines.makeAsyncIterator() }

    func next() async throws -> [LogLine]? {
        var iterator = lines
        defer { lines = iterator }
        return try await iterator.next(isolation: self).map { [$0] }
    }
}

/// What a runtime could not do.
package struct RuntimeError: Error, Sendable, Hashable, Codable, CustomStringConvertible {
    package enum Code: String, Sendable, Hashable, Codable {
        /// The runtime itself cannot be reached or started.
        case unavailable
        /// No such service or environment.
        case notFound
        /// The workload asks for something that cannot be had here (no such user, no such folder).
        case invalidWorkload
        /// Something could not be stopped or removed.
        case leftOver
        case ioError
        /// A command's first word is no program here; a shell says 127.
        case programNotFound
        /// It is there and cannot be run; a shell says 126.
        case programNotRunnable
        /// A volume that held data is gone, and an empty one in its place would pass for it.
        case volumeMissing
    }

    package var code: Code
    package var message: String
    /// The next command to type, where there is one.
    package var hint: String?

    package init(_ code: Code, _ message: String, hint: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
    }

    package var description: String { message }
}
