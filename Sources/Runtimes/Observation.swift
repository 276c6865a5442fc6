import EnvironmentGraph

/// What a runtime sees of one service just now.
package struct WorkloadStatus: Sendable, Hashable, Codable {
    package enum State: String, Sendable, Hashable, Codable, CaseIterable {
        /// Accepted, nothing started yet.
        case pending
        case building
        /// Runs; readiness has not passed yet.
        case starting
        case ready
        /// Runs; readiness passed once and fails now.
        case unhealthy
        /// Ended and waits for its next start.
        case restarting
        /// Asked to stop, or ended with 0 under a policy that leaves it ended.
        case stopped
        /// Will not be started again: the build failed, the program cannot be run, the policy says so, or a probe's
        /// limit passed.
        case failed
    }

    package var service: String
    package var generation: Int
    package var state: State
    package var pid: Int32?
    /// Starts after the first, of this generation.
    package var restarts: Int
    /// Of the last process that ended: its exit code, or 128 + signal.
    package var exitCode: Int32?
    /// Why it is in this state, for a person: `exited with 3`, the last probe's answer, `no such program: …`.
    package var message: String?
    /// The last lines of output, oldest first, where the state is `failed` or `restarting`; at most 20.
    package var lastOutput: [String]
    /// Milliseconds since 1970 at which the present state began.
    package var since: Int64

    package init(
        service: String, generation: Int, state: State, pid: Int32? = nil, restarts: Int = 0, exitCode: Int32? = nil,
        message: String? = nil, lastOutput: [String] = [], since: Int64 = 0
    ) {
        self.service = service
        self.generation = generation
        self.state = state
        self.pid = pid
        self.restarts = restarts
        self.exitCode = exitCode
        self.message = message
        self.lastOutput = lastOutput
        self.since = since
    }
}

package struct LogLine: Sendable, Hashable, Codable {
    package enum Stream: String, Sendable, Hashable, Codable {
        case stdout, stderr, build
        /// Written by the runtime about the service: started, exited, killed.
        case event
    }

    /// Milliseconds since 1970, UTC.
    package var time: Int64
    package var service: String
    package var stream: Stream
    /// Without its line end; bytes that are no UTF-8 are replaced; at most 64 KiB, longer lines are cut and marked.
    package var text: String

    package init(time: Int64, service: String, stream: Stream, text: String) {
        self.time = time
        self.service = service
        self.stream = stream
        self.text = text
    }
}
